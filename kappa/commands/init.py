"""The command init: a config to begin with, or one of an existing function."""

from __future__ import annotations

import re
from pathlib import Path

import click

from kappa.commands.console import as_json, progress, result, style
from kappa.commands.group import command
from kappa.commands.options import Options
from kappa.config.advised_commands import kappa_command
from kappa.config.advised_commands import options as given_options
from kappa.errors import ConfigError
from kappa.texts import one_line


@command()
@click.argument("name", default="")
@click.option("--from", "source", metavar="FUNCTION", default="", help="Import this function.")
@click.option(
    "--template",
    type=click.Choice(("python", "node", "typescript", "bootstrap", "http")),
    help="Starter; default: python.",
)
def init(options: Options, name: str, source: str, template: str | None) -> None:
    """Write a starter config, or import a function.

    Writes CONFIG, with a policy, code, a test event and a JSON Schema for editors beside it.
    Never overwrites a file. NAME is the function's; default: the folder's name. The template
    bootstrap is a custom runtime: a shell script; http answers a browser at the function's URL.
    --from reads an existing function with its code, role, permissions and event sources, and lists
    what a config cannot express. Changes nothing in the account.

    Example:
      kappa greeter/config.yml init
      kappa greeter/config.yml init --template typescript
      kappa resizer/config.yml init --from image-resizer
    """
    from kappa.commands.starter import check_name, starter, write_files

    if source and template:
        raise click.UsageError("--template is for a new function, not one that --from imports.")
    check_name(options.config)
    if source:
        from kappa.aws import Aws
        from kappa.commands.init_from.files import adopted_files
        from kappa.commands.init_from.read import read_existing

        _refuse_qualifier(source)
        existing = read_existing(Aws(options.region, options.profile), source)
        new = adopted_files(existing, options.config.name, options.region, options.profile)
    else:
        new = starter(options.config, name, template or "python")
    written = write_files(options.config.parent, new)
    for file in written:
        progress(f"{style('created', fg='green')}    {one_line(str(file))}")
    remarks = [*new.remarks, *_complaints(options.config)]
    for remark in remarks:
        progress(f"  {remark}")
    if options.json:
        result(as_json({"files": [str(file) for file in written], "remarks": remarks}))
    else:
        local = "serve" if template == "http" else "invoke --local"
        following = "diff --adopt" if source else local
        # A config that has just been written has no environments.
        given = given_options(profile=options.profile, region=options.region)
        progress(f"Next: {kappa_command(following, options.config, given=given)}")
        if not source:
            progress(f"Then: {kappa_command('deploy', options.config, given=given)}")


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
    """Name what `validate` does not accept: code that kappa would refuse to deploy again."""
    from kappa.commands.validate import check
    from kappa.config.read import read_config

    try:
        config = read_config(file)
        check(config, config.region)
    except ConfigError as error:
        return [f"`validate` and `deploy` do not accept it yet: {error.message}"]
    return []
