"""What is done with many kept pictures: acts, destruction, import and export."""
