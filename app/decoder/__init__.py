"""The limited child that decodes untrusted bytes, and its one client."""
