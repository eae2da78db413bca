"""Tools for tests and benchmarks of local mode: a proxy, a browser, events, many users."""
