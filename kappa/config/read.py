"""Read a kappa config file into frozen, validated objects.

Owns the way from a file to a Config: YAML, layout, environment, `${name}`, types, rules. Reads the
format of kappa 0.3 and later. It must not ask AWS anything: what is wrong with a file is reported
before the first call.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path

import msgspec

from kappa.aws import regions
from kappa.config import environments, layout_07, runtimes
from kappa.config.convert import convert
from kappa.config.error_list import check_all, raise_all
from kappa.config.function_rules import check_function, permission_errors
from kappa.config.iam_rules import check_iam, document_errors
from kappa.config.model import Config, File, Role
from kappa.config.normalize import normalized, without_trailing_slashes
from kappa.config.policy_document import names_for_later
from kappa.config.source_rules import check_sources
from kappa.config.tree import Tree, read_tree
from kappa.config.values import fill_tree, read_values


def read_config(file: Path, environment: str = "", text: bytes | None = None) -> Config:
    """Read, fill in and check one config file, or the text that it is to hold.

    Raises: ConfigError, naming file, line, key and what is allowed.
    """
    read = _read_layout(file, environment, text)
    tree = read.tree
    settings = convert(tree, normalized(tree), File)
    checks = (_check_region, check_iam, check_function, check_sources)
    check_all(partial(check, tree, settings) for check in checks)
    return Config(
        file=file,
        function=without_trailing_slashes(settings.lambda_),
        role=settings.iam.role if settings.iam else Role(),
        policy=settings.iam.policy if settings.iam else None,
        profile=settings.profile or None,
        region=settings.region or None,
        values=read.values,
        hint=read.hint,
        environment=read.environment,
        lines=tree.lines,
        origins=tree.origins,
        is_layout_07=read.is_layout_07,
        notes=(*read.notes, *_runtime_notes(tree, settings)),
        include=settings.include,
        included={at: (tree.texts[at], words) for at, words in tree.written.items()},
        other_aliases=read.other_aliases,
    )


def _runtime_notes(tree: Tree, settings: File) -> list[str]:
    words = runtimes.deprecated(settings.lambda_.runtime)
    return [tree.error(("lambda", "runtime"), words).message] if words else []


class _Read(msgspec.Struct, frozen=True):
    """A file as its environment makes it, and the values that were filled in."""

    tree: Tree
    values: Mapping[str, str]
    hint: str
    environment: str
    is_layout_07: bool
    notes: tuple[str, ...]
    other_aliases: frozenset[str]


def _read_layout(file: Path, asked: str, text: bytes | None) -> _Read:
    """Read the file, whichever layout it has."""
    raw = read_tree(file, text)
    layout_07.refuse_earlier(raw)
    environment = environments.choose(raw, asked)
    whole, is_layout_07 = raw, layout_07.is_layout_07(raw)
    if environment:
        raw = (environments.alone if is_layout_07 else environments.merge)(raw, environment)
    named = {"environment": environment} if environment else {}
    # --env decides what is changed or deleted: an included value never does.
    given, hint = read_values(raw)
    values = {**given, **named}
    tree = fill_tree(raw, values, partial(names_for_later, values), hint)
    raise_all([*document_errors(tree, environment), *permission_errors(tree)])
    notes = layout_07.notes(tree, environment) if is_layout_07 else ()
    tree = layout_07.translate(tree, environment) if is_layout_07 else tree
    others = environments.other_aliases(whole, environment, values, is_layout_07=is_layout_07)
    return _Read(tree, values, hint, environment, is_layout_07, notes, others)


def _check_region(tree: Tree, settings: File) -> None:
    region = settings.region
    if not region or regions.is_usual(region):
        return
    # Loads the SDK, which takes a moment: only for a name that AWS would hardly give.
    from kappa.aws import session

    if meant := regions.meant(region, session.regions()):
        problem = f"region is {region!r}, which is not an AWS region."
        raise tree.error(("region",), problem, f"Did you mean `{meant}`?")
