"""Event streams and picture files."""
