"""Read from AWS what a config refers to: parameters, secrets and outputs of stacks.

Owns which call gives a value, what is a secret, and the errors for values that do not exist. No
message has a secret's content.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from kappa.aws import Aws
from kappa.config.convert import suggestion
from kappa.config.references import kind_of
from kappa.config.values import Answer, NoValue, Value
from kappa.errors import AwsError, ConfigError, Denied, KappaError, NotFound

_MAX_AT_ONCE = 8


def read_values(
    aws: Aws, names: Collection[str], hide: Callable[[str, str], None]
) -> dict[str, Answer]:
    """Read the named values, side by side; a secret and a stack are read once.

    `hide` is given each secret with its reference, before anything else happens to it.
    """
    reads = {_what(name): None for name in names}
    with ThreadPoolExecutor(min(_MAX_AT_ONCE, len(reads))) as pool:
        pending = {what: pool.submit(_READ[what[0]], aws, what[1]) for what in reads}
    answers: dict[str, Answer] = {}
    for name in names:
        try:
            answer = _pick(name, pending[_what(name)].result())
        except KappaError as error:
            answer = error
        if isinstance(answer, Value) and answer.is_secret:
            hide(answer.text, f"${{{name}}}")
        answers[name] = answer
    return answers


def _what(name: str) -> tuple[str, str]:
    """What is read for a reference: its kind, and the parameter, secret or stack."""
    kind, _, rest = name.partition(":")
    if kind == "secret":
        return kind, rest.partition("#")[0]
    return kind, rest.rpartition(".")[0] if kind == "cf" else rest


def _pick(name: str, found: Any) -> Answer:  # noqa: ANN401 - what the kind reads
    rest = name.partition(":")[2]
    if kind_of(name) == "secret":
        return _of_secret(found, rest)
    return _of_stack(found, rest) if kind_of(name) == "cf" else Value(*found)


def _read_parameter(aws: Aws, name: str) -> tuple[str, bool]:
    """Read a parameter's text, decrypted, and whether it is a secret.

    Source: AWS Systems Manager API, "GetParameter": a name may end in :VERSION or :LABEL.
    """
    params = {"Name": name, "WithDecryption": True}
    try:
        answer = aws.call("ssm", "get_parameter", f"reading the parameter {name}", params)
    except AwsError as error:
        if error.code in ("ParameterNotFound", "ParameterVersionNotFound"):
            raise NoValue(
                f"there is no parameter {name} in {aws.region}.", "Create it, or correct its name."
            ) from error
        _name_permission(error, "ssm:GetParameter")
        raise
    parameter = answer["Parameter"]
    return str(parameter["Value"]), parameter["Type"] == "SecureString"


def _read_secret(aws: Aws, secret_id: str) -> str | None:
    """Read a secret's text; None for a binary one."""
    doing, params = f"reading the secret {secret_id}", {"SecretId": secret_id}
    try:
        answer = aws.call("secretsmanager", "get_secret_value", doing, params)
    except NotFound as error:
        raise NoValue(
            f"there is no secret {secret_id} in {aws.region}, or it has no value.",
            "Create it, or correct its name.",
        ) from error
    except AwsError as error:
        _name_permission(error, "secretsmanager:GetSecretValue")
        raise
    text = answer.get("SecretString")
    return None if text is None else str(text)


def _of_secret(text: str | None, rest: str) -> Answer:
    secret_id, is_keyed, key = rest.partition("#")
    if text is None:
        return ConfigError(f"the secret {secret_id} is binary.", "Only texts can be used.")
    if not is_keyed:
        return Value(text, is_secret=True)
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        data = None
    if not isinstance(data, dict):
        return ConfigError(
            f"the secret {secret_id} is not a JSON object, so it has no key {key}.",
            f"Write ${{secret:{secret_id}}} for its whole text.",
        )
    if data.get(key) is None:
        return NoValue(f"the secret {secret_id} has no key {key}.", suggestion(key, data))
    value = data[key]
    plain = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return Value(plain, is_secret=True)


def _read_stack(aws: Aws, name: str) -> Mapping[str, Any]:
    """Describe a stack. Source: AWS CloudFormation API, "DescribeStacks"."""
    doing, params = f"reading the outputs of the stack {name}", {"StackName": name}
    try:
        answer = aws.call("cloudformation", "describe_stacks", doing, params)
    except AwsError as error:
        if error.code == "ValidationError" and "does not exist" in error.text:
            raise NoValue(
                f"there is no stack {name} in {aws.region}.", "Create it, or correct its name."
            ) from error
        _name_permission(error, "cloudformation:DescribeStacks")
        raise
    stack: Mapping[str, Any] = answer["Stacks"][0]
    return stack


def _of_stack(stack: Mapping[str, Any], rest: str) -> Answer:
    name, _, output = rest.rpartition(".")
    outputs = {item["OutputKey"]: item["OutputValue"] for item in stack.get("Outputs", ())}
    if output in outputs:
        return Value(str(outputs[output]))
    hint = suggestion(output, outputs) if outputs else "It has none."
    status = str(stack.get("StackStatus", ""))
    if not status.endswith("_COMPLETE"):
        hint = f"{hint} Its status is {status}."
    return NoValue(f"the stack {name} has no output {output}.", hint)


def _name_permission(error: AwsError, action: str) -> None:
    """Name the permission that is missing; a KMS key takes one of its own."""
    if isinstance(error, Denied) and error.code and "AccessDenied" in error.code:
        words = error.text.lower()
        action = "kms:Decrypt" if "kms:decrypt" in words or "ciphertext" in words else action
        error.hint = f"Ask for the permission {action}, or use another --profile."


_READ: dict[str, Callable[[Aws, str], Any]] = {
    "account_id": lambda aws, _: (aws.account, False),
    "partition": lambda aws, _: (aws.partition, False),
    "region": lambda aws, _: (aws.region, False),
    "ssm": _read_parameter,
    "secret": _read_secret,
    "cf": _read_stack,
}
