"""Benches: each holds one claim of the design against this machine."""
