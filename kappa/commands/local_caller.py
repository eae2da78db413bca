"""Whose credentials a function on this machine gets: the caller's, or those of its own role."""

from __future__ import annotations

import json

import msgspec

from kappa.arn import Place, parse_arn
from kappa.aws.client import key_variables
from kappa.commands.session import Session
from kappa.config.presumed_place import presumed_place
from kappa.errors import AwsError, Denied, NotFound
from kappa.local_run.function import Caller

_MAX_SESSION_NAME = 64


class LocalCaller(msgspec.Struct, frozen=True):
    """The caller of a local function, and a `notice` for the user: whose rights it has."""

    caller: Caller
    notice: str


def read_caller(session: Session, *, as_role: bool = False) -> LocalCaller:
    """Read the credentials that the function gets; with `as_role` those of its role in AWS.

    Raises: Denied, if the role may not be assumed; NotFound, if the function does not exist;
    AwsError, ConfigError.
    """
    if as_role:
        return _assumed(session, session.aws.read_region())
    keys = session.aws.read_keys()
    if keys.variables:
        region = session.aws.read_region()
        notice = f"The function has your credentials ({keys.source}), not its role's."
    else:
        region = _region_if_any(session)
        notice = "You have no AWS credentials, so the function cannot call AWS."
    config = session.config
    place = presumed_place(config, region)
    arn = place.function_arn(config.function.name)
    return LocalCaller(Caller(place.region, arn, keys.variables), notice)


def _region_if_any(session: Session) -> str:
    """The region, or "": without credentials there is often no region either."""
    try:
        return session.aws.read_region()
    except AwsError:
        return ""


def _assumed(session: Session, region: str) -> LocalCaller:
    """Assume the function's role, as Lambda would."""
    aws, name = session.aws, session.config.function.name
    role = _role(session)
    params = {"RoleArn": role, "RoleSessionName": f"kappa-{name}"[:_MAX_SESSION_NAME]}
    try:
        answer = aws.call("sts", "assume_role", f"assuming the role {role}", params)
    except Denied as error:
        if error.code in ("AccessDenied", "AccessDeniedException"):
            error.hint = _how_to_allow(session, role)
        raise
    keys = answer["Credentials"]
    given = key_variables(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"])
    parsed = parse_arn(role)
    arn = Place(parsed.partition, region, parsed.account).function_arn(name)
    return LocalCaller(
        Caller(region, arn, given), f"The function has the credentials of the role {role}."
    )


def _role(session: Session) -> str:
    """The role of the function in AWS, or the one that the config gives.

    Raises: NotFound, if the function does not exist.
    """
    config = session.config
    if config.role.arn:
        return config.role.arn
    name = config.function.name
    params, doing = {"FunctionName": name}, f"reading the role of {name}"
    try:
        answer = session.aws.call("lambda", "get_function_configuration", doing, params)
    except NotFound as error:
        error.hint = f"Create the function with its role: {config.command('deploy')}"
        raise
    return str(answer["Role"])


def _how_to_allow(session: Session, role: str) -> str:
    """Word how the caller may be allowed to assume the role."""
    try:
        own = session.aws.call("sts", "get_caller_identity", "asking AWS who you are")["Arn"]
    except AwsError:
        own = "YOUR-ARN"
    statement = {"Effect": "Allow", "Principal": {"AWS": own}, "Action": "sts:AssumeRole"}
    return (
        f"Allow sts:AssumeRole for {role} in your own policy, and add this statement to the role's "
        f"trust policy (IAM's console, Trust relationships):\n  {json.dumps(statement)}\n"
        "  Take it out when you are done."
    )
