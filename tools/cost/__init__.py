"""What a month of the chat costs, and which limit of AWS comes first: `python -m tools.cost`."""
