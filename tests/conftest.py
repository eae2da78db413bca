"""Shared fixtures: isolation from AWS and the network, reported figures, a chat, an emulator."""

import os
import socket
import sysconfig
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import boto3
import pytest

import local.emulator
from lambda_chat.config import read_config
from local import bootstrap
from local.testkit.web_identity import ANONYMOUS, assume_role, request_token

STARTED_WITH = dict(os.environ)
LOOPBACK = {"127.0.0.1", "::1", "::ffff:127.0.0.1", "localhost"}
SESSION = boto3.session.Session()


@pytest.fixture(autouse=True)
def isolated(monkeypatch):
    """Keep every test away from the developer's account and from the network."""
    for name in list(os.environ):
        if name.startswith(local.emulator.SETTINGS):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    connect = socket.socket.connect

    def loopback_only(self, address):
        if self.family in (socket.AF_INET, socket.AF_INET6) and address[0] not in LOOPBACK:
            raise AssertionError(f"a test tried to reach {address[0]}")
        return connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", loopback_only)


@pytest.fixture
def figure(record_property):
    """Record a line of figures, printed at the end of the run."""
    return lambda text: record_property("figure", text)


def pytest_terminal_summary(terminalreporter):
    """Print the recorded figures, including those of other processes."""
    reports = (report for reports in terminalreporter.stats.values() for report in reports)
    figures = {
        text
        for report in reports
        for name, text in getattr(report, "user_properties", ())
        if name == "figure"
    }
    if figures:
        terminalreporter.section("Figures")
        terminalreporter.write_line("\n".join(sorted(figures)))


@dataclass(frozen=True)
class EmulatedAws:
    """The emulator that all tests share; each test module uses its own account."""

    endpoint_url: str

    def env(self, account):
        """A complete environment for a subprocess in that account."""
        path = os.pathsep.join([sysconfig.get_path("scripts"), os.environ["PATH"]])
        return local.emulator.environment(self.endpoint_url, account) | {"PATH": path}

    def client(self, service, account="000000000000", **keywords):
        """A boto3 client; credentials in `keywords` replace the account's."""
        keys = {"aws_access_key_id": account, "aws_secret_access_key": "test"}
        place = {"region_name": "us-east-1", "endpoint_url": self.endpoint_url}
        return _client(service, **(place | keys | keywords))


@lru_cache(64)
def _client(service, **keywords):
    return SESSION.client(service, **keywords)


@dataclass(frozen=True)
class RunningChat:
    """The whole chat in local mode, as `python -m local run` starts it."""

    env: dict
    aws: EmulatedAws

    @property
    def url(self):
        return self.env["LAMBDA_CHAT_URL"]

    @property
    def idp_url(self):
        return self.env["LAMBDA_CHAT_IDP_URL"]

    @property
    def endpoint_url(self):
        return self.env["AWS_ENDPOINT_URL"]

    @property
    def config(self):
        return read_config(Path(self.env["LAMBDA_CHAT_CONFIG"]))

    def client(self, service, **keywords):
        """A client for the chat's account, or with the credentials in `keywords`."""
        return self.aws.client(service, self.env["AWS_ACCESS_KEY_ID"], **keywords)

    def token(self, name, **claims):
        """An ID token from the stand-in, for a name and any of sub, aud, expires_in_s."""
        return request_token(self.idp_url, name, **claims)

    def web_identity(self, token):
        """The page's credentials for that token, as keywords for a client."""
        sts = self.client("sts", config=ANONYMOUS)
        return assume_role(sts, self.config.website_iam_role_arn, token)


@pytest.fixture(scope="session")
def chat():
    """The whole chat: the one that `python -m local run` started, or a new one."""
    if "LAMBDA_CHAT_URL" in STARTED_WITH:
        yield RunningChat(STARTED_WITH, EmulatedAws(STARTED_WITH["AWS_ENDPOINT_URL"]))
    else:
        with bootstrap.chat(proxied=True, report=lambda _line: None) as running:
            yield RunningChat(running.env, EmulatedAws(running.emulator.endpoint_url))


@pytest.fixture(scope="session")
def emulator():
    """An emulator: the one that `python -m local run` started, or a new one."""
    if "LAMBDA_CHAT_URL" in STARTED_WITH:
        yield EmulatedAws(STARTED_WITH["AWS_ENDPOINT_URL"])
    else:
        with local.emulator.running(proxied=True) as running:
            yield EmulatedAws(running.endpoint_url)
