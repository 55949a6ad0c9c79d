"""What every provider and dialect shares."""
