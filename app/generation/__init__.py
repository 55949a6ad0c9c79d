"""A generation from the queue to its pictures."""
