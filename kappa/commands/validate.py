"""The command validate: check a config, and print it filled in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kappa.commands.carry_out import print_notes
from kappa.commands.console import as_json, progress, result
from kappa.commands.group import command
from kappa.commands.options import Options, show_values_option
from kappa.config.uses import OFFLINE
from kappa.errors import ArchiveError, ConfigError

if TYPE_CHECKING:
    from kappa.config.model import Config

# While the value of one of these is not known, neither is what is packed.
_PACKING = frozenset(
    {"build", "build_inputs", "dependencies", "excluded_dirs", "excluded_files", "handler", "image"}
    | {"path", "runtime"}
)


@command(several=True, uses=OFFLINE)
@show_values_option
def validate(options: Options, show_values: bool) -> None:
    """Check the config and print it resolved.

    Merges the environment, and checks the handler and the files that the config names. The output
    is a valid config. It leaves out variables, and keeps ${name} for included values, unless
    --show-values is given. Installs and builds nothing, and does not contact AWS: it lists the
    values that other commands would read. With --json, `values` lists where each value is from.
    Exit code 2: the config is wrong.

    Example:
      kappa config.yml validate --env prod
    """
    from kappa.config.show import as_yaml, hidden_variables, shown_config, value_origins

    session = options.open()
    notes = check(session.config, options.region or session.config.region)
    print_notes([*session.config.notes, *notes])
    if session.config.function.build:
        print_notes(["the code is not checked: lambda.build makes it before each deploy"])
    config = shown_config(session.config, show_values=show_values)
    sources = value_origins(session.config)
    if options.json:
        result(as_json(config | ({"values": sources} if sources else {})))
    else:
        result(as_yaml(config).rstrip("\n"))
    names = "" if show_values else ", ".join(hidden_variables(session.config))
    if names:
        progress(f"Not shown: lambda.environment ({names}): --show-values shows it.")
    if "include" in config and not show_values:
        files = config["include"]
        files = ", ".join(files) if isinstance(files, list) else files
        progress(f"Values of {files} stand as ${{name}}: --show-values shows them.")
    for source in sources:
        if source["is_asked"]:
            what = f"{source['key']} is " if source["key"] else ""
            progress(f"Not read: {source['file']}:{source['line']}: {what}{source['value']}")


def check(config: Config, region: str | None) -> list[str]:
    """Check all that a config names without installing packages or asking AWS; return notes.

    What lambda.build makes is not looked at: other commands build it first. `region` is the
    function's, if it is known without asking.
    Raises: ConfigError; ArchiveError, for code that the runtime cannot read.
    """
    from msgspec.structs import replace

    from kappa.config.function_rules import check_regions
    from kappa.config.policy_document import read_policy_document
    from kappa.package.handler import check_files, check_handler
    from kappa.package.pack import is_ready_zip, read_archive
    from kappa.package.syntax import check_syntax

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
