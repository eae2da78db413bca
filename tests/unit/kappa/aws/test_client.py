"""Clients: long calls, and settings of the SDK that cannot be used."""

import socket

from kappa.aws import Aws
from kappa.errors import ConfigError
from tests.unit.kappa.aws.test_credentials import problem


def test_a_long_call_waits_as_long_as_a_function_may_run_and_keeps_its_connection(keys):
    aws = Aws("us-east-1")
    assert aws.max_timeout_s >= 900
    client = aws._client("lambda", aws.max_timeout_s + 60)
    config = client.meta.config
    assert (config.read_timeout, config.tcp_keepalive) == (aws.max_timeout_s + 60, True)
    options = client._endpoint.http_session._manager.connection_pool_kw["socket_options"]
    assert (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1) in options
    assert any(one[:2] == (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) for one in options)


def test_a_number_of_tries_that_is_none_is_one_clear_error(monkeypatch):
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "abc")
    error = problem(None)
    assert isinstance(error, ConfigError)
    assert "AWS_MAX_ATTEMPTS" in error.hint


def test_an_address_that_is_none_is_one_clear_error(monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://[::1")
    assert "AWS_ENDPOINT_URL" in problem(None).hint
