"""Read a kappa config file into frozen, validated objects.

Owns the way from a file to a Config: YAML, layout, environment, `${name}`, types, rules. Reads the
format of kappa 0.3 and later. It must not ask AWS anything itself: what is wrong with a file is
reported before the first call. For values such as `${ssm:/path}` it takes a reader.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from kappa.aws import regions
from kappa.config import environments, layout_07, runtimes
from kappa.config.convert import convert
from kappa.config.error_list import check_all, raise_all
from kappa.config.function_rules import check_function, permission_errors
from kappa.config.iam_rules import check_iam, document_errors
from kappa.config.model import Config, File, Role, Written
from kappa.config.normalize import normalized, without_trailing_slashes
from kappa.config.policy_document import names_for_later
from kappa.config.setting_types import file_type
from kappa.config.source_rules import check_sources
from kappa.config.tree import Keys, Tree, read_tree
from kappa.config.unread import at, parts_of, raise_certain, unread_places, without
from kappa.config.uses import OFFLINE, Uses
from kappa.config.values import Included, fill_tree, looks_referring, read_values
from kappa.errors import ConfigError

if TYPE_CHECKING:
    from kappa.config.references import Reader, Value


def read_config(
    file: Path,
    environment: str = "",
    text: bytes | None = None,
    *,
    uses: Uses = OFFLINE,
    read: Reader | None = None,
) -> Config:
    """Read, fill in and check one config file, or the text that it is to hold.

    References such as ${ssm:/path} are read where the command `uses` the config; other places that
    have one are left out. `read` asks AWS for them.
    Raises: ConfigError, naming file, line, key and what is allowed; AwsError, if AWS refuses.
    """
    resolved = _read_layout(file, environment, text, uses, read)
    places = unread_places(resolved.tree, resolved.included.values)
    parts = parts_of(places)
    tree = without(resolved.tree, parts)
    data = normalized(tree)
    settings: File = convert(tree, data, file_type(data))
    checks = (_check_region, check_iam, check_function, check_sources)
    try:
        check_all(partial(check, tree, settings) for check in checks)
    except ConfigError as error:
        raise_certain(error, places)
    return Config(
        file=file,
        function=without_trailing_slashes(settings.lambda_),
        role=settings.iam.role if settings.iam else Role(),
        policy=settings.iam.policy if settings.iam else None,
        profile=settings.profile or None,
        region=settings.region or None,
        values=resolved.included.values,
        value_files=resolved.included.files,
        secrets=resolved.secrets,
        unread={part: at(resolved.tree.data, part) for part in parts},
        written=_written(resolved.tree, places),
        hint=resolved.included.hint,
        environment=resolved.environment,
        lines=tree.lines,
        origins=tree.origins,
        is_layout_07=resolved.is_layout_07,
        notes=(*resolved.notes, *_runtime_notes(tree, settings)),
        include=settings.include,
        included={keys: (tree.texts[keys], words) for keys, words in tree.written.items()},
        other_aliases=resolved.other_aliases,
    )


def _written(tree: Tree, unread: Mapping[Keys, str]) -> dict[Keys, Written]:
    filled = {
        keys: Written(words, tree.lines.get(keys, 1), tree.texts[keys])
        for keys, words in tree.written.items()
    }
    return filled | {
        keys: Written(words, tree.lines.get(keys, 1)) for keys, words in unread.items()
    }


def _runtime_notes(tree: Tree, settings: File) -> list[str]:
    words = runtimes.warning(settings.lambda_.runtime)
    return [tree.error(("lambda", "runtime"), words).message] if words else []


class _Resolved(msgspec.Struct, frozen=True):
    """A file as its environment makes it, and the values that were filled in."""

    tree: Tree
    included: Included
    secrets: frozenset[str]
    environment: str
    is_layout_07: bool
    notes: tuple[str, ...]
    other_aliases: frozenset[str]


def _read_layout(
    file: Path, asked: str, text: bytes | None, uses: Uses, read: Reader | None
) -> _Resolved:
    """Read the file, whichever layout it has."""
    raw = read_tree(file, text)
    layout_07.refuse_earlier(raw)
    environment = environments.choose(raw, asked)
    whole, is_layout_07 = raw, layout_07.is_layout_07(raw)
    if environment:
        raw = (environments.alone if is_layout_07 else environments.merge)(raw, environment)
    named = {"environment": environment} if environment else {}
    # --env decides what is changed or deleted: an included value never does.
    included = read_values(raw)
    included = included._replace(values={**included.values, **named})
    later = partial(names_for_later, included.values)
    notes = list(layout_07.notes(raw, environment)) if is_layout_07 else []
    referred: dict[str, Value] = {}
    if any(map(looks_referring, raw.texts.values())):
        from kappa.config.references import read_references, remarks

        # The keys of 0.7's layout are others, so all of them count as used.
        used = Uses(asks=uses.asks) if is_layout_07 else uses
        referred = read_references(raw, included, used, later, read if uses.asks else None)
        notes += remarks(raw, later)
    read_texts = {name: value.text for name, value in referred.items()}
    included = included._replace(values={**included.values, **read_texts})
    tree = fill_tree(raw, included, later, _has_own_names)
    raise_all([*document_errors(tree, environment), *permission_errors(tree)])
    tree = layout_07.translate(tree, environment) if is_layout_07 else tree
    values = included.values
    others = environments.other_aliases(whole, environment, values, is_layout_07=is_layout_07)
    secrets = frozenset(name for name, value in referred.items() if value.is_secret)
    return _Resolved(tree, included, secrets, environment, is_layout_07, tuple(notes), others)


def _has_own_names(keys: Keys) -> bool:
    """Whether a shell or pip fills in names: ${KAPPA_OUT}, ${TOKEN}."""
    return keys[:2] in (("lambda", "build"), ("lambda", "requirements"))


def _check_region(tree: Tree, settings: File) -> None:
    region = settings.region
    if not region or regions.is_usual(region):
        return
    # Loads the SDK, which takes a moment: only for a name that AWS would hardly give.
    from kappa.aws import session

    if meant := regions.meant(region, session.regions()):
        problem = f"region is {region!r}, which is not an AWS region."
        raise tree.error(("region",), problem, f"Did you mean `{meant}`?")
