"""The words and facts that pictures are found by, and the language that asks for them."""
