"""Verifying, backing up and restoring a data folder."""
