"""What invokes the function: one module for each kind, and what the kinds have in common."""
