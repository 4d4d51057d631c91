"""A fitted model: learned, saved, loaded, drawn from."""
