"""Shared fixtures: isolation from AWS and the network, reported figures, a chat, an emulator."""

import json
import os
import socket
import sysconfig
import urllib.request
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config

import local.emulator
from local import bootstrap

OURS = ("AWS_", "LAMBDA_CHAT_")
STARTED_WITH = dict(os.environ)
LOOPBACK = {"127.0.0.1", "::1", "localhost"}
SESSION = boto3.session.Session()


@pytest.fixture(autouse=True)
def isolated(monkeypatch, tmp_path_factory):
    """Keep every test away from the developer's account and from the network."""
    for name in list(os.environ):
        if name.startswith(OURS):
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
        inherited = {k: v for k, v in os.environ.items() if not k.startswith(OURS)}
        return inherited | {
            "AWS_ACCESS_KEY_ID": account,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "PATH": os.pathsep.join([sysconfig.get_path("scripts"), os.environ["PATH"]]),
        }

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
        from lambda_chat.config import read_config

        return read_config(Path(self.env["LAMBDA_CHAT_CONFIG"]))

    def client(self, service, **keywords):
        """A client for the chat's account, or with the credentials in `keywords`."""
        return self.aws.client(service, self.env["AWS_ACCESS_KEY_ID"], **keywords)

    def token(self, name, **claims):
        """An ID token from the stand-in, for a name and any of sub, aud, expires_in_s."""
        body = json.dumps({"name": name, **claims}).encode()
        request = urllib.request.Request(f"{self.idp_url}/token", data=body, method="POST")
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)["id_token"]

    def web_identity(self, token):
        """The page's credentials for that token, as keywords for a client."""
        sts = self.client("sts", config=Config(signature_version=UNSIGNED))
        credentials = sts.assume_role_with_web_identity(
            RoleArn=self.config.website_iam_role_arn,
            RoleSessionName="test",
            WebIdentityToken=token,
        )["Credentials"]
        return {
            "aws_access_key_id": credentials["AccessKeyId"],
            "aws_secret_access_key": credentials["SecretAccessKey"],
            "aws_session_token": credentials["SessionToken"],
        }


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
