"""Notes about differences between config.yml, the stack and the functions, and what to run.

Each function returns lines for the user. It only reads, and must not print.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping

from kappa.aws import Aws, translated
from kappa.errors import AwsError, ConfigError, Denied, NotFound
from lambda_chat.config import (
    KEYS,
    ROOT,
    SAVED_FOR_PUSH,
    ChatConfig,
    config_path,
    outdated,
    unknown_keys,
)
from lambda_chat.stack.progress import Stack
from lambda_chat.stack.push import read_push_values
from lambda_chat.stack.website_bucket import read_former_buckets

FUNCTIONS = ("lambda/sns/config.yml", "lambda/dynamodb/config.yml")
# The stack's parameters, and the keys of config.yml that give their values.
PARAMETERS = {
    "AlarmEmail": "alarm_email",
    "DataPrefix": "data_prefix",
    "GoogleOAuthClientID": "google_oauth_client_id",
    "Push": "push",
    "WebsiteS3BucketName": "s3_bucket",
}
# A stack that is older than these parameters behaves as with these values.
VALUES_BEFORE = {"Push": "false"}
DEPLOY_AGAIN = (
    "run `./resources.py output --save`, then `kappa lambda/*/config.yml deploy` and update.sh."
)


def of_region(aws: Aws, config: ChatConfig) -> list[str]:
    """Note that the command line's region differs from the config's."""
    if not config.region or config.region == aws.region:
        return []
    return [
        f"Note: this command works in {aws.region}, but {config_path()} has `region: "
        f"{config.region}`; kappa and update.sh use that."
    ]


def of_mail(config: ChatConfig) -> list[str]:
    """Note that alarms are mailed only after a link has been followed."""
    if not config.alarm_email:
        return []
    return [f"Alarms are mailed to {config.alarm_email} once the link in AWS's mail is followed."]


def of_saved(aws: Aws, config: ChatConfig, stack: Stack) -> list[str]:
    """Note saved values that differ from the stack's, as after it was created again."""
    if not stack.usable or (config.region or aws.region) != aws.region:
        return []
    lines, push_values = [], {}
    try:
        # of_parameters names what a stack without push needs
        if stack.parameters.get("Push") == "true":
            push_values = read_push_values(aws, config)
    except AwsError as error:
        lines.append(f"Note: push_endpoint was not compared: {error.message}")
    if names := ", ".join(outdated(config, stack.outputs | push_values)):
        lines.append(f"Note: {config_path()} does not have the stack's {names}: {DEPLOY_AGAIN}")
    saved = [key for key in SAVED_FOR_PUSH if getattr(config, key)]
    if saved and not config.push:
        names = ", ".join(saved)
        lines.append(f"Note: {config_path()} has {names}, but push is off: {DEPLOY_AGAIN}")
    return lines


def parameter_values(config: ChatConfig) -> dict[str, str]:
    """Return the values that the config gives to the stack's parameters."""
    values = {name: getattr(config, key) for name, key in PARAMETERS.items()}
    return values | {"Push": "true" if config.push else "false"}


def other_values(config: ChatConfig, parameters: Mapping[str, str]) -> list[str]:
    """Return the keys of config.yml whose values the stack does not have.

    Parameters that an older stack does not know are left out, except those in VALUES_BEFORE.
    """
    current = VALUES_BEFORE | dict(parameters)
    return [
        PARAMETERS[name]
        for name, value in parameter_values(config).items()
        if name in current and current[name] != value
    ]


def of_parameters(config: ChatConfig, stack: Stack) -> list[str]:
    """Note values of the config that the stack does not have yet."""
    names = other_values(config, stack.parameters)
    if not names or not stack.usable:
        return []
    return [
        f"Note: the stack has another {', '.join(names)} than {config_path()}: run "
        "`./resources.py update --wait`."
    ]


def of_functions(aws: Aws, config: ChatConfig) -> list[str]:
    """Note deployed functions whose environment differs from their config's."""
    if (config.region or aws.region) != aws.region:
        return []
    return [line for path in FUNCTIONS for line in _of_function(aws, path)]


def _of_function(aws: Aws, path: str) -> Iterable[str]:
    # a tenth of a second: only status needs it
    from kappa.config.read import read_config

    try:
        function = read_config(ROOT / path).function
        with translated(f"reading the function {function.name}"):
            answer = aws.client("lambda").get_function_configuration(FunctionName=function.name)
    except (ConfigError, NotFound):  # kappa reports what is missing; or it is not created yet
        return
    except Denied as error:
        yield f"Note: the values of {function.name} were not compared: {error.message}"
        return
    actual = answer.get("Environment", {}).get("Variables", {})
    # to the functions, a variable that an older deployment lacks is an empty one
    desired = function.environment or {}
    names = [key for key, value in desired.items() if actual.get(key, "") != value]
    if names:
        yield (
            f"Note: the function {function.name} has another {', '.join(names)} than "
            f"{config_path()}: run `kappa {path} deploy`."
        )


def of_unknown_keys() -> list[str]:
    """Note keys of the config that neither the chat nor its functions' configs use."""
    folders = [(ROOT / path).parent for path in FUNCTIONS]
    texts = [file.read_text("utf-8") for folder in folders for file in sorted(folder.glob("*.*"))]
    lines = []
    for key, line in unknown_keys().items():
        if any(f"${{{key}}}" in text or f"${{{key}:-" in text for text in texts):
            continue
        meant = difflib.get_close_matches(key, KEYS, 1)
        question = f" Did you mean {meant[0]}?" if meant else ""
        lines.append(f"Note: {config_path()}:{line}: nothing uses the key {key}.{question}")
    return lines


def of_former_buckets(aws: Aws, stack: Stack) -> list[str]:
    """Note buckets that the stack had before `s3_bucket` changed and that still exist."""
    return [
        f"Note: the stack's former bucket {name} still exists, with its files. "
        f"Delete it yourself when nobody needs it: `aws s3 rb s3://{name} --force`."
        for name in read_former_buckets(aws, stack)
        if _exists(aws, name)
    ]


def _exists(aws: Aws, bucket: str) -> bool:
    try:
        with translated(f"looking for the bucket {bucket}"):
            aws.client("s3").head_bucket(Bucket=bucket)
    except AwsError:  # it is gone, or belongs to somebody else by now
        return False
    return True
