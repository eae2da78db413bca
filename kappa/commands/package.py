"""The command package: the zip that would be uploaded, as a file."""

from __future__ import annotations

from pathlib import Path

import click

from kappa.commands.console import as_json, result
from kappa.commands.group import command
from kappa.commands.options import Options
from kappa.config.uses import CODE
from kappa.errors import ArchiveError
from kappa.texts import file_count, one_line


@command(several=True, packs=True, uses=CODE)
@click.option(
    "--output", metavar="FILE", type=click.Path(path_type=Path), help="Write the zip here."
)
@click.option("--list", "listed", is_flag=True, help="List the files with their sizes.")
def package(options: Options, output: Path | None, listed: bool) -> None:
    """Write the zip that deploy would upload.

    Builds the code, installs the requirements and packs both into NAME.zip (or lambda.zipfile_name)
    beside the config. Asks AWS only for values such as ${ssm:/path} that packing needs.

    Example:
      kappa config.yml package --output /tmp/greeter.zip --list
    """
    from kappa.commands.numbers import size
    from kappa.package.zip import sizes, write_zip

    if output and len(options.configs) > 1:
        raise click.UsageError("--output is for one config file.")
    session = options.open()
    archive = session.checked_zip
    if archive is None:
        raise ArchiveError(
            f"{session.config.function.name} is a container image: there is nothing to pack."
        )
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
        f"{file}: {size(len(archive.data))}, {file_count(len(archive.names))}, "
        f"{size(archive.unzipped_bytes)} unzipped, sha256 {archive.sha256}"
    )
