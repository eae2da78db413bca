"""Examples that match a pattern of EventBridge, Lambda's filters or an SNS filter policy. Pure.

Source: Amazon EventBridge user guide, "Comparison operators for use in event patterns"; the other
two are parts of the same language.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from string import ascii_lowercase
from typing import Any

_ANY = "sample"
# Tried in this order where a pattern names unwanted values only.
_OTHERS = (_ANY, "other", *ascii_lowercase)
_NOTHING = object()


def example(pattern: Mapping[str, Any]) -> dict[str, Any]:
    """Make the smallest object that a pattern matches; keys that must not exist are left out."""
    made: dict[str, Any] = {}
    for key, wanted in pattern.items():
        if key == "$or":
            made = merged(made, example(wanted[0]) if wanted else {})
            continue
        value = example(wanted) if isinstance(wanted, Mapping) else _value(wanted)
        if value is not _NOTHING:
            made[key] = value
    return made


def merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Lay one object over another, key by key."""
    result = dict(base)
    for key, value in over.items():
        inner = result.get(key)
        both = isinstance(inner, Mapping) and isinstance(value, Mapping)
        result[key] = merged(inner, value) if both else value  # type: ignore[arg-type]
    return result


def _value(wanted: object) -> object:
    """One value of those that a list allows, a plain one if there is any."""
    allowed: list[Any] = wanted if isinstance(wanted, list) else [wanted]
    for item in allowed:
        if not isinstance(item, Mapping):
            return item
    return _matching(allowed[0]) if allowed else _ANY


def _matching(rule: Mapping[str, Any]) -> object:
    for operator, operand in rule.items():
        if operator == "exists":
            return _ANY if operand else _NOTHING
        if operator == "numeric":
            return _number(operand)
        if operator == "anything-but":
            return _other(operand)
        if operator == "cidr":
            return str(operand).partition("/")[0]
        if isinstance(operand, Mapping):
            return _matching(operand)
        if isinstance(operand, str):
            return operand.replace("*", "") if operator == "wildcard" else operand
    return _ANY


def _other(unwanted: object) -> object:
    """A value other than the unwanted ones: numbers, texts, or texts such as {"prefix": "in/"}."""
    operator = ""
    if isinstance(unwanted, Mapping):
        operator, unwanted = next(iter(unwanted.items()), ("", []))
    values = unwanted if isinstance(unwanted, list) else [unwanted]
    numbers = [value for value in values if isinstance(value, int | float)]
    if numbers:
        return max(numbers) + 1
    matches = _MATCHES.get(operator, str.__eq__)
    others = (text for text in _OTHERS if not any(matches(text, str(value)) for value in values))
    return next(others, _ANY)


def _matches_wildcard(text: str, pattern: str) -> bool:
    return re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), text) is not None


_MATCHES: dict[str, Callable[[str, str], bool]] = {
    "equals-ignore-case": lambda text, value: text.lower() == value.lower(),
    "prefix": str.startswith,
    "suffix": str.endswith,
    "wildcard": _matches_wildcard,
}


def _number(comparison: Sequence[Any]) -> float:
    """A number within the limits, such as [">", 0, "<=", 5]."""
    limits = dict(zip(comparison[::2], comparison[1::2], strict=False))
    for including in ("=", ">=", "<="):
        if including in limits:
            return float(limits[including]) if limits[including] % 1 else int(limits[including])
    low, high = limits.get(">"), limits.get("<")
    if low is None or high is None:
        return int(low) + 1 if low is not None else int(high or 0) - 1
    return float(low + high) / 2
