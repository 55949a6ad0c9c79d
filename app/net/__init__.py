"""The one HTTP client and the addresses it may call."""
