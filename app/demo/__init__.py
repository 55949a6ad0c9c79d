"""The embedded provider: an OpenAI-shaped images API that sketches landscapes with Pillow."""
