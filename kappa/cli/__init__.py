"""The command line: arguments to commands, results to a terminal."""
