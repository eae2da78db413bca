"""Read a kappa config file into frozen, validated objects.

Owns the way from a file to a Config: YAML, layout, environment, `${name}`, types, rules. Reads the
format of kappa 0.3 and later. It must not ask AWS anything itself: what is wrong with a file is
reported before the first call. For values such as `${ssm:/path}` it takes a reader.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import msgspec

from kappa.aws import regions
from kappa.config import environments, layout_07, runtimes
from kappa.config.convert import convert
from kappa.config.error_list import check_all, parts_of, raise_all
from kappa.config.fill import fill_tree
from kappa.config.function_rules import check_function, permission_errors
from kappa.config.iam_rules import check_iam, document_errors
from kappa.config.include import read_included
from kappa.config.model import Config, File, Role
from kappa.config.normalize import normalized, without_trailing_slashes
from kappa.config.policy_document import is_document
from kappa.config.setting_types import comparable, file_type
from kappa.config.source_rules import check_sources
from kappa.config.tree import Keys, Tree, is_unknown, read_tree, unknown_places
from kappa.config.uses import ALL, OFFLINE, Uses
from kappa.config.values import Reader, Values
from kappa.errors import ConfigError

_OF_CODE = frozenset(
    {"build", "build_inputs", "ephemeral_storage_mb", "handler", "image", "layers", "path"}
    | {"runtime", "snap_start"}
)


def read_config(
    file: Path,
    environment: str = "",
    text: bytes | None = None,
    *,
    uses: Uses = OFFLINE,
    read: Reader | None = None,
) -> Config:
    """Read, fill in and check one config file, or the text that it is to hold.

    Where the command `uses` the config, `read` asks AWS for values; a key whose value is not known
    is taken as not set.
    Raises: ConfigError, naming file, line, key and what is allowed; AwsError, if AWS refuses.
    """
    resolved = _read_layout(file, environment, text, uses, read)
    tree = resolved.tree
    data = normalized(tree)
    left_out = tuple(unknown_places(data))
    settings = comparable(convert(tree, data, file_type(data)))
    checks = (_check_region, check_iam, check_function, check_sources)
    try:
        check_all(partial(check, tree, settings) for check in checks)
    except ConfigError as error:
        raise_all([part for part in parts_of(error) if _is_certain(part, tree, left_out)])
    return Config(
        file=file,
        function=without_trailing_slashes(settings.lambda_),
        role=settings.iam.role if settings.iam else Role(),
        policy=settings.iam.policy if settings.iam else None,
        profile=settings.profile or None,
        region=settings.region or None,
        tree=tree,
        values=resolved.values,
        left_out=left_out,
        environment=resolved.environment,
        is_layout_07=resolved.is_layout_07,
        notes=(*resolved.notes, *_runtime_notes(tree, settings)),
    )


def _is_certain(error: ConfigError, tree: Tree, left_out: tuple[Keys, ...]) -> bool:
    """Whether something is wrong whatever the values are that are not known."""
    return not is_unknown(tree.at(error.keys)) and _part(error.keys) not in map(_part, left_out)


def _part(keys: Keys) -> Keys:
    """The part of a config with rules between its keys: iam, the code, a setting, or a source."""
    if keys[0] != "lambda" or len(keys) == 1 or keys[1] in _OF_CODE:
        return keys[:1]
    return keys[:3] if keys[1] == "event_sources" else keys[:2]


def _runtime_notes(tree: Tree, settings: File) -> list[str]:
    words = runtimes.warning(settings.lambda_.runtime)
    return [tree.error(("lambda", "runtime"), words).message] if words else []


class _Resolved(msgspec.Struct, frozen=True):
    """A file as its environment makes it, and the values that were filled in."""

    tree: Tree
    values: Values
    environment: str
    is_layout_07: bool
    notes: tuple[str, ...]


def _read_layout(
    file: Path, asked: str, text: bytes | None, uses: Uses, read: Reader | None
) -> _Resolved:
    """Read the file, whichever layout it has."""
    tree = read_tree(file, text)
    layout_07.refuse_earlier(tree)
    environment = environments.choose(tree, asked)
    is_layout_07 = layout_07.is_layout_07(tree)
    if environment:
        tree = (environments.alone if is_layout_07 else environments.merge)(tree, environment)
    values = Values(file.parent, read_included(tree), environment)
    notes = layout_07.notes(tree, environment) if is_layout_07 else ()
    # The keys of 0.7's layout are others, so all of them count as used.
    used = ALL._replace(asks=uses.asks) if is_layout_07 else uses
    tree = fill_tree(tree, values, used, is_document, read)
    raise_all([*document_errors(tree, environment), *permission_errors(tree)])
    if is_layout_07:
        tree = layout_07.translate(tree, environment)
    return _Resolved(tree, values, environment, is_layout_07, notes)


def _check_region(tree: Tree, settings: File) -> None:
    region = settings.region
    if not region or regions.is_usual(region):
        return
    # Loads the SDK, which takes a moment: only for a name that AWS would hardly give.
    from kappa.aws import session

    if meant := regions.meant(region, session.regions()):
        problem = f"region is {region!r}, which is not an AWS region."
        raise tree.error(("region",), problem, f"Did you mean `{meant}`?")
