"""Reading any answer."""
