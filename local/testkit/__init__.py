"""What the tests and the benches put around local mode: a proxy, a browser, events, a crowd."""
