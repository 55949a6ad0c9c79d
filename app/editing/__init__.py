"""Pictures that start from others: what is sent, and what of them a mask protects."""
