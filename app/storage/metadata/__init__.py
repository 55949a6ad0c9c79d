"""The label of a picture inside its file, and what other tools wrote there."""
