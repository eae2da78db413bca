"""Local mode: the whole chat on this machine, with no AWS account. See `python -m local --help`."""
