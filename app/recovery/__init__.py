"""What is found when Easel starts, and how it comes back."""
