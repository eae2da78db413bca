"""The function's role and policy: what IAM has of them, whose they are, the plan of them."""
