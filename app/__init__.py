"""Easel, a local web UI for image-generation APIs."""

__version__ = '0.2.0'
