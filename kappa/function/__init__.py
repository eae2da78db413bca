"""The function: its state, settings, code, versions, permissions and the plan of them."""
