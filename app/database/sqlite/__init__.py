"""SQLite: one connection that writes, readers beside it, and how the file is opened."""
