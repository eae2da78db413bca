"""What a plan would change, in words: setting by setting, document by document, file by file.

Pure: it reads the plan's steps, whatever they are about, and knows no service. The values of
a function's variables, and what came from an included file, are hidden unless they are asked for:
a diff ends up in logs.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from kappa.config.included import hide
from kappa.plan.step import MAKING, Plan, Step, steps

if TYPE_CHECKING:
    from kappa.packing.code_diff import File

HIDDEN = "(hidden)"
# Named in a step's message already, or shown as files.
_NAMING = frozenset(
    {
        "Bucket",
        "CodeSha256",
        "EventSourceArn",
        "FunctionName",
        "PolicyArn",
        "PolicyName",
        "PublishVersion",
        "Qualifier",
        "ReturnSubscriptionArn",
        "RevisionId",
        "RoleName",
        "S3Bucket",
        "S3Key",
        "S3ObjectVersion",
        "SetAsDefault",
        "StatementId",
        "TopicArn",
        "UUID",
        "logGroupName",
    }
)
_SENDS_CODE = frozenset({"create_function", "update_function_code"})
_VARIABLES = "Environment.Variables."


@dataclass(frozen=True)
class Setting:
    """One setting; None: not there. A `document` is shown line by line."""

    name: str
    before: Any
    after: Any
    document: bool = False


@dataclass(frozen=True)
class Change:
    """What one step would do. No `files` are known where AWS gives no zip to compare."""

    mark: str
    message: str
    settings: tuple[Setting, ...] = ()
    files: tuple[File, ...] | None = None


def sends_code(plan: Plan) -> bool:
    """Whether a plan uploads the function's code."""
    return any(step.operation in _SENDS_CODE for step in steps(plan))


def replaces_code(plan: Plan) -> bool:
    """Whether a plan uploads code where there is some."""
    return any(step.operation == "update_function_code" for step in steps(plan))


def changes(
    plan: Plan,
    code: bytes | None,
    deployed: bytes | None,
    *,
    show_values: bool = False,
    included: Mapping[str, str] | None = None,
    installed: Iterable[str] = (),
) -> list[Change]:
    """Say what each step would change; `included` texts as the config writes them.

    `code` is the packed zip, with the names of the files in it that are `installed` packages';
    `deployed` is the zip that AWS has; None, where there is no zip.
    """
    said = {} if show_values else (included or {})

    def files(step: Step) -> tuple[File, ...] | None:
        has_both = deployed is not None or step.operation == "create_function"
        same = deployed == code  # sent again, though AWS has it
        if step.operation not in _SENDS_CODE or code is None or not has_both or same:
            return None
        from kappa.packing.code_diff import compare_code  # other commands compare no files

        return compare_code(deployed, code, installed, show_secrets=show_values)

    return [
        Change(step.mark, step.message, tuple(_settings(step, show_values, said)), files(step))
        for step in steps(plan)
    ]


def _settings(step: Step, show_values: bool, said: Mapping[str, str]) -> Iterator[Setting]:
    if step.mark in ("attached", "detached", "removed"):
        return
    wanted = {**step.params, **dict.fromkeys(step.takes, "(the version published)")}
    shown = {
        key: value
        for key, value in wanted.items()
        if key not in _NAMING and not isinstance(value, bytes)
    }
    if step.before:
        shown = {key: value for key, value in shown.items() if key in step.before}
    after = dict(_flat("", shown))
    has = {key: value for key, value in step.before.items() if key not in _NAMING}
    before = dict(_flat("", has))
    for name in [*after, *(name for name in before if name not in after)]:
        old, new = before.get(name), after.get(name)
        if old == new and step.mark not in MAKING:
            continue
        yield _hidden(_setting(name, old, new, show_values), said)


def _hidden(setting: Setting, said: Mapping[str, str]) -> Setting:
    """Hide what came from the included file, and what was there before it, whatever that was."""
    before, after = hide(setting.before, said), hide(setting.after, said)
    if setting.after != after and not setting.document and setting.before == before is not None:
        before = HIDDEN
    return replace(setting, before=before, after=after)


def _setting(name: str, before: Any, after: Any, show_values: bool) -> Setting:  # noqa: ANN401
    if name.startswith(_VARIABLES):
        short = f"Environment.{name.removeprefix(_VARIABLES)}"
        if not show_values:
            before, after = (None if one is None else HIDDEN for one in (before, after))
        return Setting(short, before, after)
    is_document = any(isinstance(one, list | dict) and _deep(one) for one in (before, after))
    return Setting(name, before, after, is_document)


def _flat(prefix: str, value: Any) -> Iterator[tuple[str, Any]]:  # noqa: ANN401
    """Name every setting by its dotted path; a JSON text and a list of objects stay whole."""
    if isinstance(value, bytes):
        return
    if isinstance(value, Mapping) and not (prefix and _deep(value)):
        for key, item in value.items():
            yield from _flat(f"{prefix}.{key}" if prefix else key, item)
        return
    yield prefix, _json(value) if isinstance(value, str) else value


def _json(text: str) -> object:
    if not text.startswith("{"):
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text


def _deep(value: object) -> bool:
    """Whether a value is a document: it holds a list of objects."""
    if isinstance(value, Mapping):
        return any(_deep(item) for item in value.values())
    return isinstance(value, list) and any(isinstance(item, Mapping) for item in value)


def as_data(found: list[Change]) -> list[dict[str, Any]]:
    """Say the changes for scripts."""
    return [
        {
            "mark": one.mark,
            "message": one.message,
            "settings": [
                {"name": setting.name, "before": setting.before, "after": setting.after}
                for setting in one.settings
            ],
            "files": None
            if one.files is None
            else [
                {
                    "name": file.name,
                    "before_bytes": file.before_bytes,
                    "after_bytes": file.after_bytes,
                }
                for file in one.files
            ],
        }
        for one in found
    ]


def as_lines(found: list[Change]) -> Iterator[tuple[str, str]]:
    """Say the changes for people: a sign (+, -, ~ or a blank) and a text of each line."""
    for one in found:
        sign = (
            "+"
            if one.mark in (*MAKING, "published")
            else "-"
            if one.mark in ("removed", "detached")
            else "~"
        )
        yield sign, f"{sign} {one.message}"
        for setting in one.settings:
            yield from _setting_lines(setting)
        if one.files is not None:
            from kappa.packing.code_diff import file_lines

            yield from file_lines(one.files)


def _setting_lines(setting: Setting) -> Iterator[tuple[str, str]]:
    indent = "    "
    if setting.document:
        yield " ", f"{indent}{setting.name}:"
        yield from ((sign, f"{indent}{text}") for sign, text in _document_lines(setting))
    elif setting.before is None:
        yield "+", f"{indent}{setting.name}: {_word(setting.after)}"
    elif setting.after is None:
        yield "-", f"{indent}{setting.name}: {_word(setting.before)}"
    else:
        yield "~", f"{indent}{setting.name}: {_word(setting.before)} -> {_word(setting.after)}"


def _word(value: object) -> str:
    return value if isinstance(value, str) and value else json.dumps(value, default=str)


def _document_lines(setting: Setting) -> Iterator[tuple[str, str]]:
    before, after = (
        [] if one is None else json.dumps(one, indent=2, default=str).splitlines()
        for one in (setting.before, setting.after)
    )
    lines = difflib.unified_diff(before, after, n=3, lineterm="")
    for line in list(lines)[2:]:
        yield (line[0] if line[0] in "+-" else " "), line
