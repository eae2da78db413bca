"""Whose program is at the other end of a connection."""

import os
import socket
import sys

import pytest

from kappa.local_run import same_user

linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells whose sockets are")


@pytest.fixture
def listener():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening


def ways(port):
    """Every way to reach the port: also from another address, and by IPv6."""
    plain = socket.socket()
    other = socket.socket()
    other.bind(("127.0.0.2", 0))
    six = socket.socket(socket.AF_INET6)
    for client, host in ((plain, "127.0.0.1"), (other, "127.0.0.1"), (six, "::ffff:127.0.0.1")):
        client.connect((host, port))
        yield client


@linux
@pytest.mark.parametrize(("uid", "is_own"), [(os.getuid(), True), (os.getuid() + 1, False)])
def test_only_the_own_user_is_own(listener, monkeypatch, uid, is_own):
    monkeypatch.setattr(same_user.os, "getuid", lambda: uid)
    for client in ways(listener.getsockname()[1]):
        accepted, _ = listener.accept()
        with client, accepted:
            assert same_user.is_same_user(accepted) is is_own


@linux
def test_whoever_has_left_is_nobody(listener):
    client = socket.create_connection(listener.getsockname())
    accepted, _ = listener.accept()
    client.close()
    with accepted:
        assert not same_user.is_same_user(accepted)


def test_where_the_system_does_not_tell_everybody_is_own(listener, monkeypatch, tmp_path):
    monkeypatch.setattr(same_user, "_TABLES", (tmp_path / "tcp",))
    with socket.create_connection(listener.getsockname()):
        accepted, _ = listener.accept()
        with accepted:
            assert same_user.is_same_user(accepted)
