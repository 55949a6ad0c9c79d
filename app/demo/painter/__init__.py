"""Draw the demo pictures from the words of a prompt."""
