"""The names under which a server on this machine can trust a request's Host.

No DNS server is asked for them, so nobody can point them anywhere else.
"""

LOCALHOST_NAMES = (
    r"127\.0\.0\.1|\[::1\]|(?:[a-z0-9_-]+\.)*localhost"  # matched without regard to case
)
