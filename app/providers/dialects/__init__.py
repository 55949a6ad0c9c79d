"""How each kind of API is asked."""
