"""Easel, a local web UI for image-generation APIs."""

__version__ = '0.3.0'
