"""`init --from`: an existing function in the words of a config."""
