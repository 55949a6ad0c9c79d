"""What pages show, computed before a template is drawn."""
