"""Local mode: the whole chat on this machine, without an AWS account: `python -m local --help`."""
