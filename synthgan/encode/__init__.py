"""What is kept of a table, and rows to tokens and back."""
