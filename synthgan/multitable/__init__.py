"""A parent table with its child."""
