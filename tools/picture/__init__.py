"""The picture in docs/architecture.md: the packages and their imports."""
