"""Access to AWS: the session, the clients and their calls, the translation of errors."""
