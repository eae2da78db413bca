"""What `${...}` looks like: a name or reference, its default, and what was meant by another one.

Owns the syntax. `$${` is the text `${`; a default may have references in it. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from typing import NamedTuple

# By kind: the pattern of what follows it, and how an error describes that.
_FORMS = {
    "env": (r"[A-Za-z_][A-Za-z0-9_]*", "NAME, a variable of the environment"),
    "ssm": (r"[A-Za-z0-9_.:/-]+", "/PATH, a parameter of Systems Manager"),
    "secret": (r"[A-Za-z0-9/_+=.@:-]+(#[^#\"\\]+)?", "ID or ID#KEY, a secret of Secrets Manager"),
    "cf": (r"[A-Za-z0-9:/-]+\.[A-Za-z0-9]+", "STACK.OUTPUT, an output of a CloudFormation stack"),
    "file": (r".+", "PATH, a file beside the config"),
}
KINDS = tuple(_FORMS)
# What kappa knows itself: who calls, and where.
CALLER = frozenset({"account_id", "partition"})
REGION, ENVIRONMENT = "region", "environment"
_ASK_AWS = frozenset({"ssm", "secret", "cf", *CALLER})
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_MARK = re.compile(r"\$\$\{|\$\{|:-|[{}]")
# AWS IAM guide, "IAM policy elements: Variables and tags": a context key, such as aws:username or
# www.amazon.com:user_id, perhaps with a default; or an escaped *, ? or $.
_OF_IAM = re.compile(r"[*?$]|[A-Za-z0-9.-]+:(?!-)[A-Za-z0-9_.-]+(/[^:]*)?(, *'.*')?", re.DOTALL)
# What other tools write: by the words without case, what is meant.
_MEANT = {
    **dict.fromkeys(("aws::region", "aws:region", "opt:region", "self:provider.region"), "region"),
    **dict.fromkeys(("aws::accountid", "aws:accountid"), "account_id"),
    "aws::partition": "partition",
    **dict.fromkeys(
        ("opt:stage", "sls:stage", "self:provider.stage", "opt:env", "stage"), "environment"
    ),
}
_KINDS_ELSEWHERE = {"cfn": "cf", "cloudformation": "cf", "secretsmanager": "secret", "sms": "ssm"}
# Two of them are services, and so begin variables of IAM.
_SERVICES = frozenset({"cloudformation", "secretsmanager"})
_OF_TOOLS = frozenset({"opt", "self", "sls"})


class Reference(NamedTuple):
    """A `${...}`: what stands in it, its default, how it is written, and whether it has an end.

    `name` and `default` may have references in them; no default is None.
    """

    name: Parts
    default: Parts | None
    source: str
    has_end: bool = True


Parts = tuple[str | Reference, ...]


def parse(text: str) -> Parts:
    """Split a text into plain parts and references."""
    return _parts(text, 0, "")[0]


def _parts(text: str, start: int, within: str) -> tuple[Parts, int, str]:
    """Read up to what ends it; `within`: "name", "default" or "" for a whole text.

    Returns the parts, the place behind them, and what ended them: "" at the text's end.
    """
    parts: list[str | Reference] = []
    at, depth = start, 0
    while match := _MARK.search(text, at):
        mark, at = match[0], match.end()
        is_end = within and not depth and (mark == "}" or (mark == ":-" and within == "name"))
        if is_end or mark in ("${", "$${"):
            parts.append(text[start : match.start()])
            start = at
        if is_end:
            return tuple(filter(None, parts)), at, mark
        if mark == "${":
            reference, at = _reference(text, match.start())
            parts.append(reference)
            start = at
        elif mark == "$${":
            parts.append("${")
        depth += {"$${": 1, "{": 1, "}": -1}.get(mark, 0)
    parts.append(text[start:])
    return tuple(filter(None, parts)), len(text), ""


def _reference(text: str, start: int) -> tuple[Reference, int]:
    name, at, end = _parts(text, start + 2, "name")
    default = None
    if end == ":-":
        default, at, end = _parts(text, at, "default")
    return Reference(name, default, text[start:at], bool(end)), at


def references_in(text: str) -> Iterator[Reference]:
    """Find each reference in a text, also those within others."""
    waiting = list(parse(text)) if "${" in text else []
    while waiting:
        part = waiting.pop(0)
        if isinstance(part, Reference):
            yield part
            waiting[:0] = [*part.name, *(part.default or ())]


def escaped(text: str) -> str:
    """Write a text so that it is read as it is."""
    return text.replace("${", "$${")


def escaped_in_document(text: str) -> str:
    """The same for a text of a policy document, where variables of IAM are not filled in."""

    def escape(match: re.Match[str]) -> str:
        before, name, end = match.groups()
        return (
            match[0]
            if not before and end and is_of_iam(name)
            else f"{before}${match[0][len(before) :]}"
        )

    return re.sub(r"(\$?)\$\{([^{}]*)(\}?)", escape, text)


def is_name(name: str) -> bool:
    """Whether it is a name as included files have them."""
    return _NAME.fullmatch(name) is not None


def kind_of(name: str) -> str:
    """The kind of a reference, such as ssm; of a name, itself."""
    return name.partition(":")[0]


def asks_aws(name: str) -> bool:
    """Whether AWS is asked for its value."""
    return kind_of(name) in _ASK_AWS


def is_of_iam(name: str) -> bool:
    """Whether a policy document means a variable of IAM's, which stays in it.

    A parameter's path begins with a slash there: ${ssm:resourceTag/team} is IAM's.
    """
    kind, _, rest = name.partition(":")
    if kind == "ssm":
        return not rest.startswith("/")
    is_other = kind.lower() in _OF_TOOLS or name.lower() in _MEANT or _meant_kind(kind)
    return _OF_IAM.fullmatch(name) is not None and (kind in _SERVICES or not is_other)


def problem_of(name: str) -> str:
    """What is wrong with a reference as it is written; "" for a right one, and for a name."""
    kind, colon, rest = name.partition(":")
    if not colon or kind not in _FORMS:
        return "" if is_name(name) else "is not a reference."
    form, words = _FORMS[kind]
    return "" if re.fullmatch(form, rest) else f"is not a reference: {kind}: takes {words}."


def meant_by(name: str, known: Iterable[str]) -> str:
    """The right form of a reference without a value; "" if none comes to mind."""
    words = name.lower()
    if words in _MEANT:
        return _MEANT[words]
    kind, separator, rest = re.match(r"(\w*)([:.]?)(.*)", name, re.DOTALL).groups()  # type: ignore[union-attr]
    if kind.lower() in _OF_TOOLS:
        last = re.split(r"[.:]", rest)[-1]
        return last if is_name(last) else ""
    if separator:
        near = _meant_kind(kind)
        return f"{near}:{rest}" if near and not problem_of(f"{near}:{rest}") else ""
    near_names = get_close_matches(name, sorted({*known} - {name}), 1, cutoff=0.75)
    if near_names or not is_name(name):
        return near_names[0] if near_names else ""
    return f"env:{name}" if name == name.upper() else ""


def _meant_kind(kind: str) -> str:
    if kind in _FORMS:
        return kind
    word = kind.lower()
    near = get_close_matches(_KINDS_ELSEWHERE.get(word, word), _FORMS, 1, cutoff=0.75)
    return near[0] if near else ""
