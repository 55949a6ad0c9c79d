"""Connections before anything is a request: deadlines, limits, listening sockets."""
