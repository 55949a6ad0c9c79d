"""What other tools write into pictures: where, and the graphs of ComfyUI."""
