"""Generator and critic."""
