"""Check a config and all that it names, without asking AWS."""

from __future__ import annotations

from msgspec.structs import replace

from kappa.config.function_rules import check_regions
from kappa.config.model import Config
from kappa.config.policy_document import read_policy_document
from kappa.errors import ArchiveError, ConfigError
from kappa.packing.build import is_ready_zip, read_archive
from kappa.packing.check_handler import check_files, check_handler
from kappa.packing.check_syntax import check_syntax

# While the value of one of these is not known, neither is what is packed.
_PACKING = frozenset(
    {"build", "build_inputs", "dependencies", "excluded_dirs", "excluded_files", "handler", "image"}
    | {"path", "runtime"}
)


def check(config: Config, region: str | None) -> list[str]:
    """Check all that a config names without installing packages or asking AWS; return notes.

    What lambda.build makes is not looked at: other commands build it first. `region` is the
    function's, if it is known without asking.
    Raises: ConfigError; ArchiveError, for code that the runtime cannot read.
    """
    if region:
        check_regions(config, region)
    read_policy_document(config)
    check_files(config)
    is_known = not any(keys[-1] in _PACKING for keys in config.left_out)
    if config.function.image or config.function.build or not is_known:
        return []
    bare = config
    if not is_ready_zip(config):
        bare = replace(config, function=replace(config.function, requirements=()))
    try:
        archive = read_archive(bare)
        check_handler(bare, archive)
    except ArchiveError as error:
        raise ConfigError(error.message, error.hint) from error
    return [*filter(None, (*archive.notes, check_syntax(bare, archive)))]
