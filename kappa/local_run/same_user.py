"""Which user's program is at the other end of a connection within this machine."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

# A socket of IPv6 can be connected to an address of IPv4, and is then in the second table alone.
_TABLES = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
_MAPPED = "::ffff:"
_ABANDONED = "0"


def is_same_user(connection: socket.socket) -> bool:
    """Whether the program at the other end is this user's; true where the system does not show it.

    Source: Linux, proc(5), /proc/net/tcp: the local and the remote address, uid and inode of each
    socket. One that its program has closed has no inode, and the uid of root.
    """
    near, far = _written(*connection.getsockname()), _written(*connection.getpeername())
    uids = {ends: uid for ends, uid in _sockets() if ends in ((near, far), (far, near))}
    return (near, far) not in uids or uids.get((far, near)) == str(os.getuid())


def _sockets() -> Iterator[tuple[tuple[str, str], str]]:
    """The two ends and the user of each socket."""
    mapped = _words(socket.inet_pton(socket.AF_INET6, f"{_MAPPED}0.0.0.0")[:12])
    for table in _TABLES:
        with suppress(OSError):
            for row in table.read_text("ascii").splitlines()[1:]:
                fields = row.split()
                near, far = (end.removeprefix(mapped) for end in fields[1:3])
                if fields[9] != _ABANDONED:
                    yield (near, far), fields[7]


def _written(address: str, port: int) -> str:
    """An address of IPv4 as the tables have it."""
    return f"{_words(socket.inet_aton(address))}:{port:04X}"


def _words(address: bytes) -> str:
    """Words of 32 bits, each in the order of this processor."""
    words = (address[start : start + 4] for start in range(0, len(address), 4))
    return "".join(f"{int.from_bytes(word, sys.byteorder):08X}" for word in words)
