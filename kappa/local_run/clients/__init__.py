"""Lambda's runtime clients, each a file by itself that the interpreter of a runtime runs."""
