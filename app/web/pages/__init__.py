"""One module a page; pages never import each other."""
