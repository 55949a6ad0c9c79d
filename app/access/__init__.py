"""Visitors, sessions, passwords, guests and sharing."""
