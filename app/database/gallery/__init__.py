"""Lists, searches and changes the kept pictures."""
