"""What forms bring: pictures for the gallery, and what the Create page starts with and sends."""
