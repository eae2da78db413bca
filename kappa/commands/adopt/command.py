"""Read a function that exists and write it down as a config. It changes nothing.

Owns the reading, and which files come of it. How AWS's words become a config's is config.py's
and rights.py's, how event sources are found sources.py's.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from kappa.aws.client import Aws
from kappa.commands.adopt.check import readable
from kappa.commands.adopt.code import FOLDER, Code, unzipped
from kappa.commands.adopt.config import as_config
from kappa.commands.adopt.found import POLICY_FILE, Adopted, Found, line
from kappa.commands.adopt.rest import read_rest, unknown_settings
from kappa.commands.adopt.rights import given_role, why_not_made
from kappa.commands.adopt.sources import adopt_sources
from kappa.commands.init import HEADER, SCHEMA, NewFiles, schema
from kappa.commands.validate import as_yaml
from kappa.errors import AwsError, NotFound
from kappa.function.permissions import read_statements
from kappa.function.state import check_variables
from kappa.packing.download import read_code

_LEFT_OUT = "Not in this config. `delete` removes it from AWS, and no `deploy` brings it back:"


def read(aws: Aws, name: str) -> Found:
    """Read a function with its role, permissions, event sources and code.

    Raises: NotFound, if there is none of this name; Denied, if its variables cannot be read;
    AwsError.
    """
    doing = f"reading the function {name}"
    function = aws.call("lambda", "get_function", doing, {"FunctionName": name})
    settings = function["Configuration"]
    check_variables(name, settings)
    name, arn = settings["FunctionName"], settings["FunctionArn"]
    image = settings.get("PackageType") == "Image"

    def maybe(operation: str) -> dict[str, Any] | None:
        return _found(lambda: aws.call("lambda", operation, doing, {"FunctionName": name}))

    with ThreadPoolExecutor(7) as pool:
        statements = pool.submit(read_statements, aws, name)
        role = pool.submit(_read_role, aws, settings["Role"])
        asynchronous = pool.submit(maybe, "get_function_event_invoke_config")
        url = pool.submit(maybe, "get_function_url_config")
        log_days = pool.submit(_read_log_days, aws, settings)
        rest = pool.submit(read_rest, aws, name, image=image)
        zipped = None if image else pool.submit(_download, aws, name, function.get("Code", {}))
        sources = adopt_sources(aws, arn, statements.result())
        return Found(
            function=function,
            statements=statements.result(),
            sources=list(sources.sections),
            role=role.result()[0],
            policy=role.result()[1],
            asynchronous=asynchronous.result(),
            url=url.result(),
            log_days=log_days.result(),
            zipped=zipped.result() if zipped else None,
            rest=(*unknown_settings(function), *sources.left_out, *rest.result()),
        )


def _found(ask: Callable[[], dict[str, Any]]) -> dict[str, Any] | None:
    try:
        return ask()
    except NotFound:
        return None


def _read_role(aws: Aws, arn: str) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """Read the role and, if it is all that the role has, its one policy with its document."""
    name = arn.rsplit("/", 1)[-1]
    doing, params = f"reading the role {name}", {"RoleName": name}
    role: dict[str, Any] = aws.call("iam", "get_role", doing, params)["Role"]
    attached = aws.pages("iam", "list_attached_role_policies", doing, "AttachedPolicies", params)
    inline = aws.pages("iam", "list_role_policies", doing, "PolicyNames", params)
    if len(attached) != 1 or inline:
        return role, None
    which = {"PolicyArn": attached[0]["PolicyArn"]}
    policy: dict[str, Any] = aws.call("iam", "get_policy", doing, which)["Policy"]
    if ":aws:policy/" in policy["Arn"]:
        return role, policy
    version = {**which, "VersionId": policy["DefaultVersionId"]}
    answer = aws.call("iam", "get_policy_version", doing, version)
    return role, {**policy, "Document": answer["PolicyVersion"]["Document"]}


def _read_log_days(aws: Aws, settings: Mapping[str, Any]) -> int | None:
    default = f"/aws/lambda/{settings['FunctionName']}"
    name = settings.get("LoggingConfig", {}).get("LogGroup", default)
    params = {"logGroupNamePrefix": name}
    groups = aws.pages("logs", "describe_log_groups", f"reading {name}", "logGroups", params)
    return next((one.get("retentionInDays") for one in groups if one["logGroupName"] == name), None)


def _download(aws: Aws, name: str, code: Mapping[str, Any]) -> bytes | None:
    location = str(code.get("Location", ""))
    if not location:
        problem = code.get("Error", {}).get("Message", "it gives no address")
        raise AwsError(f"AWS does not hand out the function's code: {problem}.")
    return read_code(aws, location, name)


def adopted(
    found: Found, file: str, region: str | None = None, profile: str | None = None
) -> NewFiles:
    """Write down a function as the files of a config, which kappa reads without complaint.

    Raises: ArchiveError, if its zip is broken, too large, or holds a link; ConfigError, if no
    config could be the function's.
    """
    code = unzipped(found.zipped) if found.zipped else Code({})
    path = FOLDER if code.files else ""
    said = as_config(found, path, f"{FOLDER}/requirements.txt" in code.files)
    where = {
        "profile": profile,
        "region": region or found.function["Configuration"]["FunctionArn"].split(":")[3],
    }
    whole = Adopted({**where, **said.config}, said.left_out)
    written = readable(file, whole, given_role(found))
    remarks = _remarks(found, code, written)
    files = {file: _text(found, written, remarks).encode(), SCHEMA: schema(), **code.files}
    policy = written.config["iam"].get("policy", {})
    if "document" in policy and found.policy:
        document = json.dumps(found.policy["Document"], indent=2, ensure_ascii=False)
        files[POLICY_FILE] = f"{document}\n".encode()
    return NewFiles(files, frozenset(code.programs), tuple(remarks))


def _text(found: Found, written: Adopted, remarks: list[str]) -> str:
    name = found.function["Configuration"]["FunctionName"]
    notes = [f"The function {name}, as `init --from` found it.", *remarks]
    head = [HEADER.rstrip(), *(f"# {one}" for one in notes)]
    return "\n".join([*head, as_yaml(written.config)])


def _remarks(found: Found, code: Code, written: Adopted) -> list[str]:
    why = why_not_made(found)
    remarks = [f"The role {why}: the config uses it as it is."] if why else []
    if found.function["Configuration"].get("PackageType") == "Image":
        remarks.append("The function is a container image: there is no code to download.")
    if code.left_out:
        remarks.append(f"Of the zip, what packing leaves out: {', '.join(code.left_out)}.")
    if written.left_out:
        remarks += [_LEFT_OUT, *(f"- {one}" for one in written.left_out)]
    return [line(one) for one in remarks]
