"""The chat's own Python: its config, its stack, its site. kappa knows nothing of it."""
