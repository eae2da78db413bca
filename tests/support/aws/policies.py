"""A small IAM policy evaluator for the template's and the functions' policies.

It tests what the embedded AWS does not enforce. It supports what these policies use: wildcards in
actions and resources, the condition operators in `_met`, and everyone, services or identity
providers as principals.
Source: IAM guide, "Policy evaluation logic" (one account, no boundaries).
"""

import ipaddress
import json
import re
from fnmatch import fnmatchcase
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[3]


def read_template(values):
    """The golden template's resources, with every reference replaced by its value.

    `values` maps "Name" (Ref) and "Name.Attribute" (GetAtt) to text.
    """
    text = (ROOT / "tests" / "data" / "stack" / "template.json").read_text()
    return resolve(json.loads(text)["Resources"], values)


def read_policy(function, values):
    """The statements of a function's policy.json, with each ${name} filled in."""
    text = (ROOT / "lambda" / function / "policy.json").read_text()
    filled = re.sub(r"\$\{(\w+)(?::-([^}]*))?\}", lambda m: values.get(m[1], m[2]), text)
    return json.loads(filled)["Statement"]


def read_permissions(function):
    """The permissions that a function's config.yml grants to services."""
    text = (ROOT / "lambda" / function / "config.yml").read_text()
    return yaml.safe_load(text)["lambda"].get("permissions", [])


def resolve(node, values):
    """Replace Ref, Fn::GetAtt and Fn::Sub throughout."""
    if isinstance(node, list):
        return [resolve(item, values) for item in node]
    if not isinstance(node, dict):
        return node
    if "Ref" in node:
        return values[node["Ref"]]
    if "Fn::GetAtt" in node:
        return values[".".join(node["Fn::GetAtt"])]
    if "Fn::Sub" in node:
        return re.sub(r"\$\{([\w:.]+)\}", lambda m: values[m[1]], node["Fn::Sub"])
    return {key: resolve(value, values) for key, value in node.items()}


def allows(identity, resource_based, request):
    """Return whether a request is allowed: by an Allow in either list, without a Deny in any.

    `request` has action, resource, principal ("*" for anyone) and the condition keys.
    """
    matching = [statement for statement in identity if _fits(statement, request)]
    matching += [
        statement
        for statement in resource_based
        if _names(statement, request) and _fits(statement, request)
    ]
    effects = {statement["Effect"] for statement in matching}
    return "Allow" in effects and "Deny" not in effects


def _names(statement, request):
    """Return whether the statement's principal includes the caller."""
    principal = statement["Principal"]
    if principal in ("*", {"AWS": "*"}):
        return True
    return request["principal"] in [name for kind in principal.values() for name in listed(kind)]


def _fits(statement, request):
    action, resource = request["action"].lower(), request["resource"]
    return (
        any(fnmatchcase(action, pattern.lower()) for pattern in listed(statement["Action"]))
        and any(
            fnmatchcase(resource, pattern)
            for pattern in listed(statement.get("Resource", request["resource"]))
        )
        and all(
            _met(operator, request.get(key), listed(allowed))
            for operator, keys in statement.get("Condition", {}).items()
            for key, allowed in keys.items()
        )
    )


def _met(operator, value, allowed):
    """Compare a condition key; a missing key passes only for ...IfExists and Not..."""
    if value is None:
        return operator.endswith("IfExists") or operator.startswith("Not")
    match operator.removesuffix("IfExists"):
        case "StringEquals" | "Bool":
            return value in allowed
        case "ArnLike":
            return any(fnmatchcase(value, pattern) for pattern in allowed)
        case "NotIpAddress":
            address = ipaddress.ip_address(value)
            return not any(address in ipaddress.ip_network(network) for network in allowed)
    raise NotImplementedError(operator)


def listed(value):
    """The value as a list: IAM writes a single value without one."""
    return value if isinstance(value, list) else [value]
