"""Image APIs: configured, found, asked, and their answers read."""
