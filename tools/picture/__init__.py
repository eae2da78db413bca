"""The picture in docs/architecture.md: the packages, and which imports which."""
