"""Everything a browser or a program meets."""
