"""The commands about files: package, validate, init. Only `init --from` asks AWS."""

from __future__ import annotations

import re
from pathlib import Path

import click

from kappa.cli.console import as_json, progress, result, style
from kappa.cli.group import command, strict_option, tell_notes, warn_of_code
from kappa.cli.options import Options
from kappa.config import advice
from kappa.errors import ArchiveError, ConfigError
from kappa.texts import one_line


@command
@click.option(
    "--output", metavar="FILE", type=click.Path(path_type=Path), help="Write the zip here."
)
@click.option("--list", "listed", is_flag=True, help="List the files with their sizes.")
@strict_option
def package(options: Options, output: Path | None, listed: bool, strict: bool) -> None:
    """Write the zip that deploy would upload.

    Installs the requirements and packs the code into NAME.zip (or lambda.zipfile_name) beside the
    config. Does not contact AWS.

    Example:
      kappa config.yml package --output /tmp/greeter.zip --list
    """
    from kappa.commands.humanize import size
    from kappa.packing.archive import sizes
    from kappa.packing.zip_file import write_zip

    if output and len(options.configs) > 1:
        raise click.UsageError("--output is for one config file.")
    session = options.open()
    archive = session.zip
    if archive is None:
        raise ArchiveError(
            f"{session.config.function.name} is a container image: there is nothing to pack."
        )
    warn_of_code(session.config, session.problems, strict=strict)
    file = write_zip(session.config, archive, output)
    data = {
        "file": str(file),
        "size_bytes": len(archive.data),
        "unzipped_bytes": archive.unzipped_bytes,
        "files": len(archive.names),
        "sha256": archive.sha256,
    }
    if options.json:
        result(as_json({**data, "names": sizes(archive)} if listed else data))
        return
    for name, size_bytes in sizes(archive).items() if listed else ():
        result(f"{size(size_bytes):>12}  {one_line(name)}")
    result(
        f"{file}: {size(len(archive.data))}, {len(archive.names)} files, "
        f"{size(archive.unzipped_bytes)} unzipped, sha256 {archive.sha256}"
    )


@command
@click.option("--show-values", is_flag=True, help="Show variables and included values.")
@strict_option
def validate(options: Options, show_values: bool, strict: bool) -> None:
    """Check the config and print it resolved.

    Merges the environment, and checks the files that the config names and the handler. The output
    is a valid config. It leaves out variables, and keeps ${name} for included values, unless
    --show-values is given. Installs nothing and does not contact AWS. Exit code 2: the config is
    wrong.

    Example:
      kappa config.yml validate --env prod
    """
    from kappa.commands.validate import as_yaml, check, hidden, plain_config
    from kappa.packing.syntax import problems

    session = options.open()
    archive = check(session.config, options.region or session.config.region)
    tell_notes(session.config.notes)
    found = problems(session.config.function.runtime, archive) if archive else []
    warn_of_code(session.config, found, strict=strict)
    config = plain_config(session.config, show_values=show_values)
    result(as_json(config) if options.json else as_yaml(config).rstrip("\n"))
    names = "" if show_values else ", ".join(hidden(session.config))
    if names:
        progress(f"Not shown: lambda.environment ({names}): --show-values shows it.")
    if "include" in config:
        progress(
            f"Values of {session.config.include} stand as ${{name}}: --show-values shows them."
        )


@command
@click.argument("name", default="")
@click.option("--from", "source", metavar="FUNCTION", default="", help="Import this function.")
def init(options: Options, name: str, source: str) -> None:
    """Write a starter config, or import a function.

    Writes CONFIG, with a policy, code, a test event and a JSON Schema for editors beside it.
    Never overwrites a file. NAME is the function's; default: the folder's name. --from reads an
    existing function with its code, role, permissions and event sources, and lists what a config
    cannot express. Changes nothing in the account.

    Example:
      kappa greeter/config.yml init
      kappa resizer/config.yml init --from image-resizer
    """
    from kappa.commands.init import check_name, starter, write_files

    check_name(options.config)
    if source:
        from kappa.aws.client import Aws
        from kappa.commands.adopt.command import adopted, read

        _refuse_qualifier(source)
        found = read(Aws(options.region, options.profile), source)
        new = adopted(found, options.config.name, options.region, options.profile)
    else:
        new = starter(options.config, name)
    written = write_files(options.config.parent, new)
    for file in written:
        progress(f"{style('created', fg='green')}    {one_line(str(file))}")
    remarks = [*new.remarks, *_complaints(options.config)]
    for remark in remarks:
        progress(f"  {remark}")
    if options.json:
        result(as_json({"files": [str(file) for file in written], "remarks": remarks}))
    else:
        following = "diff" if source else "deploy"
        # A config that has just been written has no environments.
        given = advice.options(profile=options.profile, region=options.region)
        progress(f"Next: {advice.command(following, options.config, given=given)}")
        if not source:
            progress(f"Then: {advice.command('invoke', options.config, given=given)}")


def _refuse_qualifier(source: str) -> None:
    """A version has settings of its own, but role, URL, tags and more are the function's."""
    # NAME, ACCOUNT:function:NAME or an ARN, each with :QUALIFIER or without.
    _, colon, qualifier = re.sub(r"^.+?:function:", "", source).partition(":")
    if colon:
        raise click.UsageError(
            f"--from {source}: a config describes the whole function, not one version or alias. "
            f"Give --from {source.removesuffix(colon + qualifier)}."
        )


def _complaints(file: Path) -> list[str]:
    """Say what `validate` does not accept: code that kappa would refuse to deploy again."""
    from kappa.commands.validate import check
    from kappa.config.read import read_config

    try:
        config = read_config(file)
        check(config, config.region)
    except ConfigError as error:
        return [f"`validate` and `deploy` do not accept it yet: {error.message}"]
    return []
