"""How AWS is reached: the session, the clients and their calls, AWS's errors in words."""
