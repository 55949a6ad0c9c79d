"""Acts on many pictures, a piece at a time: what each changes, and how it is taken back."""
