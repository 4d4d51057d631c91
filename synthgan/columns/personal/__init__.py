"""Personal data, one file a kind: recognised, and generated in its place."""
