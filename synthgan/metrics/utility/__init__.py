"""What models learn from synthetic rows."""
