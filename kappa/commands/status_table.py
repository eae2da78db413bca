"""How a status looks: its rows, columns as wide as the terminal, a state's colour. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kappa.commands.console import bold, style
from kappa.commands.numbers import duration, size
from kappa.commands.status_data import policy_name, role_name
from kappa.config.model import Config
from kappa.function.async_calls import wants
from kappa.sources.report import BROKEN, Row, source_row


def status_table(data: Mapping[str, Any], config: Config) -> list[Row]:
    """Turn status data into rows: what, name, state, detail (facts, two spaces apart)."""
    policy, role = data["policy"], data["role"]
    rows = []
    if config.policy:
        detail = f"{policy['version']}  attached {policy['attachments']}x" if policy else ""
        rows.append(("policy", policy_name(config), "there" if policy else "missing", detail))
    name = role_name(config)
    names = [policy.rsplit("/", 1)[-1] for policy in (role or {}).get("policies") or []]
    if name:
        rows.append(("role", name, role["state"] if role else "missing", "  ".join(names)))
    rows.append(_function_row(config.function.name, data["function"]))
    if config.function.alias:
        rows.append(_alias_row(config.function.alias, data["alias"]))
    for alias in data["other_aliases"]:
        facts = [*_shares(alias), "(not in the config)"]
        rows.append(("alias", alias["name"], f"version {alias['version']}", "  ".join(facts)))
    if wants(config.function.async_) or data["async"]:
        rows.append(_async_row(data["async"]))
    for statement in data["permissions"]:
        detail = f"{statement['principal']}  {statement['source_arn']}".strip()
        if foreign := statement["foreign"]:
            detail = f"{foreign.get('Effect', '')}  more than a config can express (--json)"
        rows.append(("permission", statement["statement_id"], "there", detail))
    rows += [source_row(source) for source in data["event_sources"]]
    return rows


def _function_row(name: str, function: Mapping[str, Any] | None) -> Row:
    if function is None:
        return "function", name, "missing", ""
    reserved = function["reserved_concurrency"]
    facts = [
        function["runtime"] or function["package_type"].lower(),
        *function["architectures"],
        f"{function['memory_size']} MB",
        f"{function['timeout']} s",
        f"at most {reserved} at once" if reserved is not None else "",
        size(function["code_size"] or 0),
        f"sha256 {(function['code_sha256'] or '')[:8]}",
        f"changed {function['last_modified'][:19]}Z",
    ]
    state = function["state"]
    if function["last_update"] != "Successful":
        state = f"{state}, update {function['last_update']}"
    return "function", name, state, "  ".join(fact for fact in facts if fact)


def _alias_row(name: str, alias: Mapping[str, Any] | None) -> Row:
    if alias is None:
        return "alias", name, "missing", ""
    words = "as the function is now" if alias["is_current"] else "the function has changed since"
    return "alias", name, f"version {alias['version']}", "  ".join([*_shares(alias), words])


def _shares(alias: Mapping[str, Any]) -> list[str]:
    """Word the share of calls of each additional version."""
    return [f"{share:.0%} to version {number}" for number, share in alias["weights"].items()]


def _async_row(settings: Mapping[str, Any] | None) -> Row:
    if settings is None:
        return "async", "", "missing", ""
    tries, age_s, target = (
        settings["maximum_retry_attempts"],
        settings["maximum_event_age_s"],
        settings["on_failure"],
    )
    facts = [
        f"{tries} retries" if tries is not None else "",
        f"within {duration(age_s * 1000)}" if age_s is not None else "",
        f"then to {target.rsplit(':', 1)[-1]}" if target else "",
    ]
    return "async", "", "there", "  ".join(fact for fact in facts if fact)


def padded(rows: Sequence[tuple[str, ...]], width: int | None = None) -> list[tuple[str, ...]]:
    """Pad each column except the last, and break details that do not fit the width.

    The caller joins columns with two spaces.
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)][:-1]
    indent = widths[0] + 2 if widths else 0
    left = None if width is None else width - sum(widths) - 2 * len(widths)
    return [
        (
            *(text.ljust(size) for text, size in zip(row[:-1], widths, strict=True)),
            _broken(row[-1], left, indent, width),
        )
        for row in rows
    ]


def _broken(detail: str, left: int | None, indent: int, width: int | None) -> str:
    """Break a detail between two facts, so that no line is too long."""
    if left is None or width is None or len(detail) <= left:
        return detail
    lines = [""]
    for fact in detail.split("  "):
        room = left if len(lines) == 1 else width - indent
        longer = f"{lines[-1]}  {fact}" if lines[-1] else fact
        if len(longer) <= room:
            lines[-1] = longer
        else:
            lines.append(fact)
    return f"\n{' ' * indent}".join(lines)


def state_line(name: str, state: str, detail: str) -> str:
    """Write a part of a status: green if all is well, red if it is missing or has failed."""
    word = state.strip()
    if word in BROKEN or "Failed" in word:
        colour = "red"
    else:
        is_well = word in ("Active", "Enabled", "Notifying", "Subscribed", "there")
        colour = "green" if is_well else "yellow"
    line = f"{bold(name)}  {style(state, fg=colour)}"
    return f"{line}  {style(detail, dim=True)}" if detail else line


def problem_line(problem: str) -> str:
    """Write a problem after a red exclamation mark."""
    return f"{style('!', fg='red', bold=True)} {problem}"
