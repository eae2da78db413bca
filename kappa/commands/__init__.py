"""One module for each verb: it reads what it needs and plans, or asks, what to do."""
