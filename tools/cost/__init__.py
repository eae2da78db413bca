"""Estimate the chat's monthly cost and the first AWS limit it reaches: `python -m tools.cost`."""
