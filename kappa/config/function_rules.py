"""Rules of a kappa config's function: between keys, and between the function and its region.

It must not ask AWS anything.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import partial

from kappa.arn import matches_any_account, parse_arn
from kappa.aws.regions import is_opt_in
from kappa.config.error_list import check_all
from kappa.config.model import URL_STATEMENT, Config, File, Function, Permission
from kappa.config.tree import Keys, Tree, dotted
from kappa.config.value_types import LOG_DAYS
from kappa.errors import ConfigError

_RESERVED_VARIABLES = frozenset(
    {
        "_HANDLER",
        "_X_AMZN_TRACE_ID",
        "AWS_DEFAULT_REGION",
        "AWS_REGION",
        "AWS_EXECUTION_ENV",
        "AWS_LAMBDA_FUNCTION_NAME",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
        "AWS_LAMBDA_FUNCTION_VERSION",
        "AWS_LAMBDA_INITIALIZATION_TYPE",
        "AWS_LAMBDA_LOG_GROUP_NAME",
        "AWS_LAMBDA_LOG_STREAM_NAME",
        "AWS_ACCESS_KEY",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_LAMBDA_RUNTIME_API",
        "LAMBDA_TASK_ROOT",
        "LAMBDA_RUNTIME_DIR",
    }
)
# Each makes a permission narrower: without its value, others too could invoke the function.
_CONDITIONS = (
    "source_arn",
    "source_account",
    "principal_org_id",
    "event_source_token",
    "function_url_auth_type",
    "invoked_via_function_url",
)
# What a function of a zip needs.
_EXAMPLES = {"path": "code", "handler": "app.handler", "runtime": "python3.13"}
_MAX_ENVIRONMENT_BYTES = 4096
# What Lambda reaches in its own region only.
_SAME_REGION = frozenset({"dynamodb", "events", "kinesis", "kms", "lambda", "sns", "sqs"})


def check_function(tree: Tree, settings: File) -> None:
    """Check everything of the lambda section but its event sources.

    Raises: ConfigError, naming file, line, key and what is allowed.
    """
    function = settings.lambda_
    checks = (
        _check_package,
        _check_build,
        _check_vpc,
        _check_permissions,
        _check_logging,
        _check_environment,
    )
    check_all(partial(check, tree, function) for check in checks)


def _check_package(tree: Tree, function: Function) -> None:
    """A zip needs path, handler and runtime; an image has them inside of it."""
    for key in _EXAMPLES:
        given = getattr(function, key)
        if function.image and given:
            raise tree.error(
                ("lambda", key), f"lambda.{key} does not go with lambda.image, which has its own."
            )
        if not function.image and not given:
            hint = f"Add it, such as `{key}: {_EXAMPLES[key]}`."
            raise tree.error(("lambda",), f"lambda.{key} is missing.", hint)


def _check_build(tree: Tree, function: Function) -> None:
    keys: Keys = ("lambda", "build")
    command = function.build
    if function.image and command is not None:
        raise tree.error(keys, "lambda.build does not go with lambda.image: build the image first.")
    if command is not None and not (command if isinstance(command, tuple) else command.strip()):
        raise tree.error(keys, "lambda.build is empty.", "Write a command, or take the key out.")
    if function.build_inputs and command is None:
        problem = "lambda.build_inputs has no effect without lambda.build."
        raise tree.error(("lambda", "build_inputs"), problem)


def _check_vpc(tree: Tree, function: Function) -> None:
    vpc = function.vpc
    if vpc and bool(vpc.subnet_ids) != bool(vpc.security_group_ids):
        raise tree.error(
            ("lambda", "vpc"),
            "lambda.vpc needs both subnet_ids and security_group_ids.",
            "Or neither, as `vpc: {}`, for no VPC.",
        )


def _check_permissions(tree: Tree, function: Function) -> None:
    seen: set[str] = set()
    for number, permission in enumerate(function.permissions):
        here: Keys = ("lambda", "permissions", number)
        if permission.statement_id in seen:
            keys: Keys = (*here, "statement_id")
            raise tree.error(keys, f"{dotted(keys)} {permission.statement_id!r} is given twice.")
        seen.add(permission.statement_id)
        if permission.principal.isdecimal() and len(permission.principal) != 12:
            keys = (*here, "principal")
            problem = f"{dotted(keys)} is {permission.principal!r}: an account has 12 digits."
            raise tree.error(keys, problem)
        if function.url:
            _check_not_urls(tree, here, permission)
        _check_public(tree, here, permission)
        _check_url_conditions(tree, here, permission)


def permission_errors(tree: Tree) -> Iterator[ConfigError]:
    """Find each condition of a permission that has no value."""
    permissions = tree.at(("lambda", "permissions"))
    for number, permission in enumerate(permissions if isinstance(permissions, list) else ()):
        for key in _CONDITIONS if isinstance(permission, dict) else ():
            if key in permission and permission[key] is None:
                keys: Keys = ("lambda", "permissions", number, key)
                yield tree.error(
                    keys,
                    f"{dotted(keys)} has no value.",
                    "Write one, or take the key out: then the permission has no such condition.",
                )


def _check_not_urls(tree: Tree, here: Keys, permission: Permission) -> None:
    """What kappa gives for the URL would be replaced, removed and given anew by each deploy."""
    if URL_STATEMENT.fullmatch(permission.statement_id):
        raise tree.error(
            (*here, "statement_id"),
            f"{dotted(here)} has the name {permission.statement_id}, which kappa gives a "
            "permission of lambda.url.",
            "Give it a name that does not begin with kappa-url; or leave it out: "
            "`url: {auth: NONE}` gives what its callers need.",
        )


def lets_anyone_in(principal: str, source_arn: str, *narrower: str) -> bool:
    """Whether a permission or statement lets every AWS account invoke the function.

    `narrower` are its other limits, "" for none: source account, organization and token.
    """
    return principal == "*" and matches_any_account(source_arn) and not any(narrower)


def _check_public(tree: Tree, here: Keys, permission: Permission) -> None:
    """A permission for everybody is written as one: a forgotten source must not make it."""
    anyone = lets_anyone_in(
        permission.principal,
        permission.source_arn,
        permission.source_account,
        permission.principal_org_id,
        permission.event_source_token,
    )
    if anyone and not permission.public:
        raise tree.error(
            (*here, "principal"),
            f"{dotted(here)} lets every AWS account invoke the function.",
            "Add a source_arn that names an account or a bucket, a source_account, a "
            "principal_org_id or an event_source_token; or, if you mean it, `public: true`.",
        )
    if permission.public and not anyone:
        raise tree.error(
            (*here, "public"),
            f"{dotted(here)} is not public.",
            "`public: true` goes with `principal: '*'` and no source, organization or token.",
        )


def _check_url_conditions(tree: Tree, here: Keys, permission: Permission) -> None:
    """Source: AWS Lambda guide, "Control access to Lambda function URLs"."""
    goes_with = {
        "function_url_auth_type": "lambda:InvokeFunctionUrl",
        "invoked_via_function_url": "lambda:InvokeFunction",
    }
    for key, action in goes_with.items():
        if getattr(permission, key) and permission.action.lower() != action.lower():
            keys: Keys = (*here, key)
            raise tree.error(keys, f"{dotted(keys)} goes with action: {action} only.")


def _check_logging(tree: Tree, function: Function) -> None:
    days = function.log_retention_days
    if days is not None and str(days) not in LOG_DAYS.split(", "):
        raise tree.error(
            ("lambda", "log_retention_days"),
            f"lambda.log_retention_days is {days}.",
            f"Allowed: {LOG_DAYS}.",
        )
    logging = function.logging
    for key in ("application_level", "system_level"):
        if logging and getattr(logging, key) and logging.format != "JSON":
            keys: Keys = ("lambda", "logging", key)
            raise tree.error(keys, f"{dotted(keys)} needs format: JSON.")


def _check_environment(tree: Tree, function: Function) -> None:
    variables = function.environment or {}
    for name in variables:
        keys: Keys = ("lambda", "environment", name)
        if not re.fullmatch(r"[a-zA-Z][a-zA-Z0-9_]+", name):
            raise tree.error(
                keys,
                f"{name!r} is not a valid variable name.",
                "A letter, then one or more letters, digits and _.",
            )
        if name in _RESERVED_VARIABLES:
            raise tree.error(keys, f"{name} is set by Lambda itself.", "Use another name.")
    # Lambda measures the JSON of all variables: quotes, colons and commas count too.
    text = json.dumps(variables, separators=(",", ":"), ensure_ascii=False)
    size = len(text.encode())
    if size > _MAX_ENVIRONMENT_BYTES:
        raise tree.error(
            ("lambda", "environment"),
            f"the environment has {size} bytes as JSON; Lambda takes {_MAX_ENVIRONMENT_BYTES}.",
        )


def check_regions(config: Config, region: str) -> None:
    """Check that what Lambda reaches in its own region only is in the function's.

    Raises: ConfigError, naming file, line, key and both regions.
    """
    image = config.function.image
    if image:
        _check_region(config, ("lambda", "image", "uri"), image.uri.split(".")[3], region)
    for keys, text in _arns(config.function):
        try:
            arn = parse_arn(text)
        except ValueError as error:
            raise config.error(keys, f"{dotted(keys)}: {error}.") from None
        # A layer of AWS's own is in every region.
        if arn.service in _SAME_REGION and arn.region:
            _check_region(config, keys, arn.region, region)
    _check_topics(config, region)


def _check_topics(config: Config, region: str) -> None:
    """SNS invokes across regions, but no function of an opt-in one.

    Source: Amazon SNS guide, "Prerequisites for integrating Amazon SNS with Lambda functions
    across regions".
    """
    for number, source in enumerate(config.function.event_sources):
        if source.service != "sns":
            continue
        topic = parse_arn(source.arn)
        if topic.region != region and is_opt_in(topic.partition, region):
            raise config.error(
                ("lambda", "event_sources", number, "arn"),
                f"the topic {source.short} is in {topic.region}, the function in {region}.",
                f"SNS invokes no function of {region}, an opt-in region, from another region: "
                "use a topic of the function's region.",
            )


def _check_region(config: Config, keys: Keys, other: str, region: str) -> None:
    if other != region:
        raise config.error(
            keys,
            f"{dotted(keys)} is in {other}, the function in {region}.",
            "Lambda reaches it in its own region only.",
        )


def _arns(function: Function) -> Iterator[tuple[Keys, str]]:
    arns_by_key: dict[Keys, str | None] = {
        ("lambda", "kms_key"): function.kms_key,
        ("lambda", "dead_letter"): function.dead_letter,
    }
    for number, layer in enumerate(function.layers or ()):
        arns_by_key["lambda", "layers", number] = layer
    if function.async_:
        arns_by_key["lambda", "async", "on_failure"] = function.async_.on_failure
        arns_by_key["lambda", "async", "on_success"] = function.async_.on_success
    for number, source in enumerate(function.event_sources):
        here: Keys = ("lambda", "event_sources", number)
        # A topic of another region may invoke the function.
        if source.arn and source.service != "sns":
            arns_by_key[*here, "arn"] = source.arn
        arns_by_key[*here, "on_failure"] = source.on_failure
    yield from ((keys, text) for keys, text in arns_by_key.items() if text)
