"""Explain why credentials cannot be loaded: which profile, which program, what to run.

It owns the failures that come before the first call to AWS. It reads no file itself.
Source: AWS SDKs and Tools reference, "Process credential provider", "IAM Identity Center
credential provider", "Login credentials provider".
"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from botocore import exceptions

from kappa.errors import ConfigError, Denied, KappaError

HINT = "Run `aws configure`, set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or name a profile."
_FILE_HINT = (
    "Correct AWS_WEB_IDENTITY_TOKEN_FILE, AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE, or "
    "web_identity_token_file in ~/.aws/config."
)
_PLACE_HINT = (
    "Look at the variables that begin with AWS_CONTAINER_, AWS_METADATA_SERVICE_ or "
    "AWS_WEB_IDENTITY_, and at the profile in ~/.aws/config."
)
_LOGIN = (exceptions.LoginError, exceptions.MissingDependencyException)
_SSO = (exceptions.SSOError, exceptions.TokenRetrievalError)
# Failures of a program, a file or a URL that the SDK does not handle.
_UNEXPECTED = (OSError, ValueError, AttributeError, TypeError)


def source(config: Mapping[str, Any], profile: str) -> tuple[str, Mapping[str, Any]]:
    """Find the profile that the credentials come from: this one, or its source_profile.

    Shape: config is {profiles: {name: {key: value}}}, as the SDK reads ~/.aws/config.
    """
    profiles, seen = config.get("profiles", {}), {""}
    while profile not in seen:
        seen.add(profile)
        section = profiles.get(profile, {})
        source_profile = section.get("source_profile", "")
        if source_profile in seen:
            break
        profile = source_profile
    return profile, profiles.get(profile, {})


@contextmanager
def explained(config: Mapping[str, Any], profile: str) -> Iterator[None]:
    """Translate the errors of loading a profile's credentials.

    Raises: Denied, ConfigError.
    """
    try:
        yield
    except (exceptions.BotoCoreError, *_UNEXPECTED) as error:
        explanation = _explain(error, *source(config, profile))
        if explanation is None:
            raise
        raise explanation from error


def _explain(error: Exception, name: str, section: Mapping[str, Any]) -> KappaError | None:
    if isinstance(error, _LOGIN):
        return _login(error, name)
    if isinstance(error, _SSO):
        problem = f"The profile {name} is not signed in to IAM Identity Center (SSO): {error}"
        return Denied(problem, f"Run `aws sso login --profile {shlex.quote(name)}`.")
    program = section.get("credential_process")
    if program and isinstance(error, (exceptions.CredentialRetrievalError, *_UNEXPECTED)):
        return _process(error, name, str(program))
    if isinstance(error, exceptions.InvalidConfigError):
        return ConfigError(f"The AWS profile {name} is wrong: {error}", "Correct ~/.aws/config.")
    if isinstance(error, OSError):
        place = error.filename or "the file of a token"
        return Denied(f"No AWS credentials: {place}: {error.strerror or error}.", _FILE_HINT)
    if isinstance(error, ValueError):
        return Denied(f"No AWS credentials: {error}.", _PLACE_HINT)
    return None


def _login(error: Exception, name: str) -> Denied:
    if isinstance(error, exceptions.MissingDependencyException):
        return Denied(
            f"The profile {name} uses the credentials of `aws login`, which need the Python "
            "package botocore[crt].",
            f"Run `{shlex.quote(sys.executable)} -m pip install 'botocore[crt]'`.",
        )
    problem = f"The profile {name} has no valid session of `aws login`: {error}"
    return Denied(problem, f"Run `aws login --profile {shlex.quote(name)}`.")


def _process(error: Exception, name: str, program: str) -> Denied:
    if isinstance(error, exceptions.CredentialRetrievalError):
        reason = str(error).removeprefix("Error when retrieving credentials from custom-process: ")
        reason = reason.strip() or "it failed and printed no reason"
    elif isinstance(error, OSError):
        reason = error.strerror or str(error)
    else:
        reason = "it did not print the credentials as JSON"
    return Denied(
        f"The credential_process of the profile {name}, {_first_word(program)}, gave no "
        f"credentials: {reason}",
        "Run the command that ~/.aws/config names there, and correct what it reports.",
    )


def _first_word(program: str) -> str:
    """Return the program without its arguments, which may be secrets."""
    try:
        return shlex.split(program)[0]
    except (ValueError, IndexError):
        return program.split(maxsplit=1)[0]
