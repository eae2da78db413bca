"""The page as it is published: built, bundled, compared, uploaded."""
