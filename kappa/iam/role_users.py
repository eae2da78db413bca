"""Read which functions have which role, in this region and in the others."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from kappa.aws import Aws
from kappa.aws.translate import WRONG_KEYS
from kappa.errors import AwsError, Interrupted, KappaError
from kappa.iam.owner import ReadUsers, Users

_AT_ONCE = 12
_RULED_OUT = "with an explicit deny in a service control policy"


def read_functions(aws: Aws) -> list[dict[str, Any]]:
    """List the region's functions with all their versions, since each has its own role.

    Source: AWS Lambda API reference, "ListFunctions": FunctionVersion.
    """
    params = {"FunctionVersion": "ALL"}
    functions = aws.pages("lambda", "list_functions", "listing the functions", "Functions", params)
    if functions:
        aws.remember_account(functions[0]["FunctionArn"])
    return functions


def functions_by_role(functions: Iterable[Mapping[str, Any]]) -> dict[str, tuple[str, ...]]:
    """Group the functions' names by the ARN of their role."""
    by_role: dict[str, set[str]] = defaultdict(set)
    for function in functions:
        by_role[function["Role"]].add(function["FunctionName"])
    return {arn: tuple(sorted(names)) for arn, names in by_role.items()}


def users_reader(aws: Aws, here: Mapping[str, tuple[str, ...]] | None = None) -> ReadUsers:
    """Return a reader of role users; `here` are those of our own region, if they are known."""

    def read_users(*, elsewhere: bool) -> Users:
        if not elsewhere:
            return Users(here or {})
        return _read_elsewhere(
            aws, functions_by_role(read_functions(aws)) if here is None else here
        )

    return read_users


def _read_elsewhere(aws: Aws, here: Mapping[str, tuple[str, ...]]) -> Users:
    known = aws.session.get_available_regions("lambda", aws.partition)
    others = {region: aws.in_region(region) for region in known if region != aws.region}
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        answers = dict(zip(others, pool.map(_read_region, others.values()), strict=True))
    elsewhere: dict[str, tuple[str, ...]] = {}
    for region, answer in answers.items():
        for arn, names in (answer or {}).items():
            placed = tuple(f"{name} in {region}" for name in names)
            elsewhere[arn] = (*elsewhere.get(arn, ()), *placed)
    unseen = tuple(region for region, answer in answers.items() if answer is None)
    return Users(here, elsewhere, unseen)


def _read_region(aws: Aws) -> dict[str, tuple[str, ...]] | None:
    """Read one region's roles; None if the region does not answer.

    Two refusals mean that the region has no functions. A region that the account has not enabled
    does not know our keys. A service control policy that denies the call denies it to functions'
    roles as well.
    Sources: AWS Account Management guide, "Specify which AWS Regions your account can use"; AWS
    IAM guide, "Troubleshoot access denied error messages"; AWS Organizations guide, "Service
    control policies (SCPs)".
    """
    try:
        return functions_by_role(read_functions(aws))
    except Interrupted:
        raise
    except AwsError as error:
        return {} if error.code in WRONG_KEYS or _RULED_OUT in error.text else None
    except KappaError:
        return None
