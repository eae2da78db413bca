"""IAM's decision, small: which actions the template's and the functions' policies allow.

For what the embedded AWS does not enforce. It knows what these policies use: wildcards in actions
and resources, eight condition operators, principals that are everyone, a service or federated.
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
    """The golden template's resources, with every reference replaced by a value.

    `values` maps "Name" (Ref) and "Name.Attribute" (GetAtt) to text.
    """
    text = (ROOT / "tests" / "data" / "stack" / "template.json").read_text()
    return resolve(json.loads(text)["Resources"], values)


def read_policy(function, values):
    """The statements of a function's policy.json, with its ${name} filled in."""
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
        return [resolve(one, values) for one in node]
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
    """Tell whether a request is allowed: an Allow on either side, and no Deny on any.

    `request` has action, resource, principal ("*" for anyone) and the condition keys.
    """
    met = [one for one in identity if _fits(one, request)]
    met += [one for one in resource_based if _names(one, request) and _fits(one, request)]
    effects = {one["Effect"] for one in met}
    return "Allow" in effects and "Deny" not in effects


def _names(statement, request):
    """Does the statement's principal mean the caller?"""
    principal = statement["Principal"]
    if principal in ("*", {"AWS": "*"}):
        return True
    return request["principal"] in [one for kind in principal.values() for one in listed(kind)]


def _fits(statement, request):
    action, resource = request["action"].lower(), request["resource"]
    return (
        any(fnmatchcase(action, one.lower()) for one in listed(statement["Action"]))
        and any(
            fnmatchcase(resource, one)
            for one in listed(statement.get("Resource", request["resource"]))
        )
        and all(
            _met(operator, request.get(key), listed(wanted))
            for operator, keys in statement.get("Condition", {}).items()
            for key, wanted in keys.items()
        )
    )


def _met(operator, value, wanted):
    """Compare a condition key; one that the request lacks fails, but for ...IfExists and Not..."""
    if value is None:
        return operator.endswith("IfExists") or operator.startswith("Not")
    match operator.removesuffix("IfExists"):
        case "StringEquals" | "Bool":
            return value in wanted
        case "StringLike" | "ArnLike" | "ArnEquals":
            return any(fnmatchcase(value, one) for one in wanted)
        case "NotIpAddress":
            address = ipaddress.ip_address(value)
            return not any(address in ipaddress.ip_network(one) for one in wanted)
    raise NotImplementedError(operator)


def listed(value):
    """IAM writes one thing as it is and several as a list."""
    return value if isinstance(value, list) else [value]
