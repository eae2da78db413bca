"""Publishing the page: build, bundle, compare, upload."""
