"""The JSON Schema of a config file, made of the types that read it; editors check with it.

Owns what an editor accepts beyond the types: `${name}` in place of any value, keys without a
value, environments, and the layout of kappa 0.7. kappa itself never reads the schema.
"""

from __future__ import annotations

import copy
import inspect
import json
from typing import Any

import msgspec

from kappa.config import layout_07
from kappa.config.references import KINDS
from kappa.config.setting_types import file_type

_VALUE = {"$ref": "#/$defs/value"}
_NULL = {"type": "null"}
_SCALARS = ("integer", "number", "boolean")
# Descriptions of JSON values begin with this; an editor must accept YAML there too.
_JSON_WORDS = "a mapping, "
# Sections that an environment may give a part of.
_PARTS = ("File", "Iam", "Role", "Policy", "Function", "Permission")


def schema_json() -> str:
    """Write the schema as the file beside this module holds it."""
    return json.dumps(schema(), indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def schema() -> dict[str, Any]:
    """Make the schema: one file, or one with environments, whose sections may be partial."""
    kinds = (file_type(), layout_07.Environment, layout_07.Top)
    _, defs = msgspec.json.schema_components(kinds, ref_template="#/$defs/{name}")
    strict = {name: _lenient(definition) for name, definition in defs.items()}
    parts = {f"{name}Part": _part(strict[name]) for name in _PARTS}
    _open(strict, parts)
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "A function's config for kappa",
        "$defs": {
            **strict,
            **parts,
            "value": {
                "type": "string",
                "pattern": rf"\$\{{([A-Za-z_]\w*|({'|'.join(KINDS)}):[^{{}}]+)(:-[^}}]*)?\}}",
                "description": "a value from elsewhere, such as ${team:-tea} or ${ssm:/team}",
            },
        },
        "if": {"anyOf": [{"required": ["environments"]}, {"required": ["name"]}]},
        "then": {"$ref": "#/$defs/FilePart"},
        "else": {"$ref": "#/$defs/File"},
    }


def _open(strict: dict[str, Any], parts: dict[str, Any]) -> None:
    """Let a file have environments, each with the keys of either layout."""
    environment, top = strict.pop("Environment"), strict.pop("Top")
    whole = parts["FilePart"]["properties"]
    parts["EnvironmentPart"] = {
        **environment,
        "title": "EnvironmentPart",
        "properties": {**environment["properties"], **whole},
    }
    environments = {
        "description": "what differs in each environment; --env names one, else it is dev",
        "type": "object",
        "additionalProperties": {"anyOf": [{"$ref": "#/$defs/EnvironmentPart"}, _NULL]},
    }
    parts["FilePart"]["properties"] = {
        **top["properties"],
        **whole,
        "environments": environments,
    }
    function = parts["FunctionPart"]["properties"]
    parts["EnvironmentPart"]["properties"]["vpc_config"] = function["vpc"]
    function["vpc_config"] = function["vpc"]
    function["log_retention_policy"] = function["log_retention_days"]
    for key in ("excluded_dirs", "excluded_files"):
        function[key] = {"anyOf": [function[key], {"type": "string"}]}


def _part(section: dict[str, Any]) -> dict[str, Any]:
    """Let every key be absent, here and in the sections inside."""
    part = json.loads(json.dumps(section))
    for name in _PARTS:
        text = json.dumps(part).replace(f'"#/$defs/{name}"', f'"#/$defs/{name}Part"')
        part = json.loads(text)
    part.pop("required", None)
    part["title"] += "Part"
    return dict(part)


def _lenient(schema: dict[str, Any]) -> dict[str, Any]:
    """Accept `${name}` and nothing in place of a value; a number in place of a text."""
    schema = copy.deepcopy(schema)
    schema.pop("default", None)
    if "description" in schema:
        # Python 3.13 and later take the indentation out of a docstring
        schema["description"] = inspect.cleandoc(schema["description"])
    if str(schema.get("description", "")).startswith(_JSON_WORDS):
        return {"description": schema["description"]}
    if "anyOf" in schema:
        schema["anyOf"] = _once([*map(_lenient, schema["anyOf"]), _VALUE, _NULL])
        return schema
    kind = schema.get("type")
    if kind == "object":
        return _lenient_mapping(schema)
    if kind == "array":
        schema["items"] = _lenient(schema["items"]) if "items" in schema else {}
        return {"anyOf": [schema, _NULL]}
    if kind == "string" and not {"pattern", "maxLength"} & set(schema):
        schema.pop("minLength", None)
        return {**schema, "type": ["string", "number", "null"]}
    if kind == "string":
        return {"anyOf": [{**schema, "type": ["string", "number"]}, _VALUE, _NULL]}
    if kind in _SCALARS or "enum" in schema:
        return {"anyOf": [schema, _VALUE, _NULL]}
    return schema


def _lenient_mapping(schema: dict[str, Any]) -> dict[str, Any]:
    if "properties" in schema:
        schema["properties"] = {key: _lenient(value) for key, value in schema["properties"].items()}
        return schema
    if isinstance(schema.get("additionalProperties"), dict):
        # Names to texts: they are taken as they are written, 1.10 and on too.
        schema["additionalProperties"] = {"type": ["string", "number", "boolean", "null"]}
    return {"anyOf": [schema, _NULL]}


def _once(schemas: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Take alternatives inside of alternatives out, each one once."""
    flat = [
        inner
        for schema in schemas
        for inner in (schema["anyOf"] if set(schema) == {"anyOf"} else [schema])
    ]
    return [schema for number, schema in enumerate(flat) if schema not in flat[:number]]
