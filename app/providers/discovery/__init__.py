"""Finding servers and testing an address."""
