"""The commands about files: package, validate, init. Only `init --from` asks AWS."""

from __future__ import annotations

from pathlib import Path

import click

from kappa.command import command, strict_option, warn_of_code
from kappa.console import as_json, progress, result
from kappa.errors import ArchiveError
from kappa.options import Options


@command
@click.option(
    "--output", metavar="FILE", type=click.Path(path_type=Path), help="Where to write the zip."
)
@click.option("--list", "listed", is_flag=True, help="Show each file with its size.")
@strict_option
def package(options: Options, output: Path | None, listed: bool, strict: bool) -> None:
    """Write the zip that would be uploaded.

    Installs the required packages, packs the code and asks AWS nothing. Unless told, the zip is
    NAME.zip, or lambda.zipfile_name, beside the config.

    Example:
      kappa config.yml package --output /tmp/greeter.zip --list
    """
    from kappa.archive import sizes
    from kappa.bundle import write_zip

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
    for name, size in sizes(archive).items() if listed else ():
        result(f"{size:>12,}  {name}")
    result(
        f"{file}: {len(archive.data):,} bytes, {len(archive.names)} files, "
        f"{archive.unzipped_bytes:,} bytes unzipped, sha256 {archive.sha256}"
    )


@command
@strict_option
def validate(options: Options, strict: bool) -> None:
    """Check the config and print it filled in.

    Prints the config as it is understood, with its environment merged and every ${name} filled
    in; it reads as a config again. Checks the files too that it names, and that the handler is in
    the code. Installs nothing and asks AWS nothing; exit code 2 means that the config is wrong.

    Example:
      kappa config.yml validate --env prod
    """
    from kappa.resolved import as_yaml, check, plain_config
    from kappa.syntax import problems

    session = options.open()
    archive = check(session.config)
    found = problems(session.config.function.runtime, archive) if archive else []
    warn_of_code(session.config, found, strict=strict)
    config = plain_config(session.config)
    result(as_json(config) if options.json else as_yaml(config).rstrip("\n"))


@command
@click.argument("name", default="")
@click.option("--from", "source", metavar="FUNCTION", default="", help="Import this function.")
def init(options: Options, name: str, source: str) -> None:
    """Write a config, and code to begin with.

    Writes CONFIG, a policy, code and an event beside it, and a JSON Schema for editors. Never
    overwrites a file. With --from, reads an existing function with its role, permissions and
    event sources, downloads its code, and changes nothing in the account.

    Example:
      kappa greeter/config.yml init
      kappa resizer/config.yml init --from image-resizer
    """
    from kappa.starter import starter, write_files

    if source:
        from kappa.adopt import adopted, read
        from kappa.aws import Aws

        found = read(Aws(options.region, options.profile), source)
        new = adopted(found, options.config.name, options.region, options.profile)
    else:
        new = starter(options.config, name)
    written = write_files(options.config.parent, new)
    for file in written:
        progress(f"{click.style('created', fg='green')}    {file}")
    for remark in new.remarks:
        progress(f"  {remark}")
    if options.json:
        result(as_json({"files": [str(file) for file in written], "remarks": list(new.remarks)}))
    else:
        progress(f"Next: kappa {options.config} {'diff' if source else 'deploy'}")
