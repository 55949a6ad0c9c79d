"""Readers of any response."""
