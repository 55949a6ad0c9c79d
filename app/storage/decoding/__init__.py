"""The decoder of pictures: a child under limits, and the server's side of it."""
