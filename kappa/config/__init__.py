"""The config file: read, checked, filled in, as frozen objects."""
