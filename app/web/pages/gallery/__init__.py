"""The pages of kept pictures."""
