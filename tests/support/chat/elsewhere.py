"""A server of empty pages on its own port: the origin of pages that are not the chat's.

A request with a query is redirected to the address in the query.
"""

import contextlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote

BLANK = b"<!doctype html><body>"


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        _, _, address = self.path.partition("?")
        self.send_response(302 if address else 200)
        if address:
            self.send_header("Location", unquote(address))
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(BLANK)

    def log_message(self, *_):
        """Log nothing."""


@contextlib.contextmanager
def running():
    """Serve until the block ends; it gets the port."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
