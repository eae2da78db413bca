"""What a plan would change, in words: setting by setting, document by document, file by file.

Pure: it reads the plan's steps, whatever they are about, and knows no service. The values of
a function's variables are hidden unless they are asked for: a diff ends up in logs. A setting with
a secret is always hidden, with what AWS has in its place.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

import msgspec

from kappa.config.tree import texts_in
from kappa.function.code import SENDS_CODE
from kappa.package.compare import File, compare_code, file_lines
from kappa.plan.step import CREATING_MARKS, Plan, Step, steps
from kappa.texts import SHORTEST_SECRET

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
_VARIABLES = "Environment.Variables."


class Setting(msgspec.Struct, frozen=True):
    """One setting; None: it is not set. A `document` is shown line by line."""

    name: str
    before: Any
    after: Any
    document: bool = False


class Change(msgspec.Struct, frozen=True):
    """What one step would do. No `files` are known where AWS gives no zip to compare."""

    mark: str
    message: str
    settings: tuple[Setting, ...] = ()
    files: tuple[File, ...] | None = None


def changes(
    plan: Plan,
    code: bytes | None,
    deployed: bytes | None,
    *,
    show_values: bool = False,
    secrets: Collection[str] = (),
    installed: Iterable[str] = (),
) -> list[Change]:
    """Describe what each step would change.

    `secrets` are the texts of the config that are one, or have one in them. `code` is the packed
    zip, with the names of the files in it that are `installed` packages'; `deployed` is the zip
    that AWS has; None, where there is no zip.
    """
    long_secrets = [secret for secret in secrets if len(secret) >= SHORTEST_SECRET]

    def files(step: Step) -> tuple[File, ...] | None:
        has_both = deployed is not None or step.operation == "create_function"
        same = deployed == code  # sent again, though AWS has it
        if step.operation not in SENDS_CODE or code is None or not has_both or same:
            return None
        return compare_code(
            deployed, code, installed, show_secrets=show_values, secrets=long_secrets
        )

    described = [
        (
            step,
            Change(
                step.mark,
                step.message,
                tuple(_without_secret(item, secrets) for item in _settings(step, show_values)),
                files(step),
            ),
        )
        for step in steps(plan)
    ]
    # The same files, packed differently, are no change, nor is their upload.
    repacked = any(change.files == () and not change.settings for _, change in described)
    sending = {*SENDS_CODE, "put_object"} if repacked else set()
    return [change for step, change in described if step.operation not in sending]


def _without_secret(setting: Setting, secrets: Collection[str]) -> Setting:
    """Hide a setting with a secret as a whole, with what AWS has in its place."""
    texts = [text for _, text in texts_in(setting.after)]
    within = any(
        secret in text for text in texts for secret in secrets if len(secret) >= SHORTEST_SECRET
    )
    if not within and not any(text in secrets for text in texts):
        return setting
    return Setting(setting.name, None if setting.before is None else HIDDEN, HIDDEN)


def _settings(step: Step, show_values: bool) -> Iterator[Setting]:
    if step.mark in ("attached", "detached", "removed"):
        return
    params = {**step.params, **dict.fromkeys(step.takes, "(the version published)")}
    shown = {
        key: value
        for key, value in params.items()
        if key not in _NAMING and not isinstance(value, bytes)
    }
    if step.before:
        shown = {key: value for key, value in shown.items() if key in step.before}
    after = dict(_flat("", shown))
    old_params = {key: value for key, value in step.before.items() if key not in _NAMING}
    before = dict(_flat("", old_params))
    for name in [*after, *(name for name in before if name not in after)]:
        old, new = before.get(name), after.get(name)
        if old == new and step.mark not in CREATING_MARKS:
            continue
        yield _setting(name, old, new, show_values)


def _setting(name: str, before: Any, after: Any, show_values: bool) -> Setting:  # noqa: ANN401
    if name.startswith(_VARIABLES):
        short = f"Environment.{name.removeprefix(_VARIABLES)}"
        if not show_values:
            before, after = (None if value is None else HIDDEN for value in (before, after))
        return Setting(short, before, after)
    is_document = any(isinstance(value, list | dict) and _deep(value) for value in (before, after))
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


def as_data(changes: list[Change]) -> list[dict[str, Any]]:
    """Describe the changes for scripts."""
    return [
        {
            "mark": change.mark,
            "message": change.message,
            "settings": [
                {"name": setting.name, "before": setting.before, "after": setting.after}
                for setting in change.settings
            ],
            "files": None
            if change.files is None
            else [
                {
                    "name": file.name,
                    "before_bytes": file.before_bytes,
                    "after_bytes": file.after_bytes,
                }
                for file in change.files
            ],
        }
        for change in changes
    ]


def as_lines(changes: list[Change]) -> Iterator[tuple[str, str]]:
    """Describe the changes for people: a sign (+, -, ~ or a blank) and a text of each line."""
    for change in changes:
        sign = (
            "+"
            if change.mark in (*CREATING_MARKS, "published")
            else "-"
            if change.mark in ("removed", "detached")
            else "~"
        )
        yield sign, f"{sign} {change.message}"
        for setting in change.settings:
            yield from _setting_lines(setting)
        if change.files is not None:
            yield from file_lines(change.files)


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
        [] if value is None else json.dumps(value, indent=2, default=str).splitlines()
        for value in (setting.before, setting.after)
    )
    lines = difflib.unified_diff(before, after, n=3, lineterm="")
    for line in list(lines)[2:]:
        yield (line[0] if line[0] in "+-" else " "), line
