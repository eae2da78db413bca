"""The `kappa` group: how a command is found in argv, and how a function becomes a command.

What a command does is in kappa/commands/, imported only once it runs: --help needs neither AWS nor
YAML.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kappa.commands import old_syntax
from kappa.commands.argument_types import BETWEEN_FILES, config_files
from kappa.commands.options import Options, common, merge
from kappa.config import advised_commands
from kappa.config.advised_commands import kappa_command
from kappa.config.uses import ALL, Uses

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

# What is taken where no config is named; `init` writes the first.
_DEFAULT_CONFIGS = ("kappa.yml", "config.yml")
# Of the first line of a command's help: the tests keep it within 80 columns.
_MAX_WIDTH = 60


def with_example(text: str | None) -> str:
    """Keep the lines of a help's example as they are: click would join them."""
    return inspect.cleandoc(text or "").replace("Example:\n", "\b\nExample:\n")


class Commands(click.Group):
    """Takes update_code as well as update-code; helps where CONFIG is missing or a word is old.

    `groups` are the headings of the help; each has its commands, with the module in this folder.
    """

    def __init__(
        self,
        *args: Any,  # noqa: ANN401
        groups: Mapping[str, Mapping[str, str]],
        **kwargs: Any,  # noqa: ANN401
    ) -> None:
        super().__init__(*args, **kwargs)
        self._groups = groups
        self._modules = {name: file for names in groups.values() for name, file in names.items()}

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name the commands in the order of the help."""
        return list(self._modules)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands under the headings of their groups, in columns of one width."""
        width = max(map(len, self._modules))
        for heading, names in self._groups.items():
            commands = [(name, self.get_command(ctx, name)) for name in names]
            with formatter.section(heading):
                formatter.write_dl(
                    [
                        (name.ljust(width), command.get_short_help_str(_MAX_WIDTH))
                        for name, command in commands
                        if command
                    ]
                )

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command, whichever dash its name has."""
        name = cmd_name.replace("-", "_")
        if name not in self._modules:
            return None
        module = import_module(f"kappa.commands.{self._modules[name]}")
        command: click.Command = getattr(module, name)
        return command

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Take the config that is meant where a command stands in its place."""
        args = old_syntax.translated(args)
        problem = old_syntax.gone_option(args)
        if problem and not ctx.resilient_parsing:
            raise click.UsageError(problem, ctx)
        first = next(self._plain_words(ctx, args), None)
        if first is not None and self._is_command(args[first]):
            if args[first] in old_syntax.WITHOUT_CONFIG and not ctx.resilient_parsing:
                raise click.UsageError(old_syntax.replacement(args[first:], ()), ctx)
            args = self._with_config(ctx, args, first)
        return super().parse_args(ctx, self._joined(ctx, args))

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Offer commands after a config file, and further config files."""
        offered = super().shell_complete(ctx, incomplete)
        if ctx.params.get("config") and not incomplete.startswith("-"):
            from click.shell_completion import CompletionItem

            offered += [CompletionItem(name) for name in config_files(incomplete)]
        return offered

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; name what replaced a word of kappa 0.7."""
        if not ctx.resilient_parsing:
            files = ctx.params.get("config") or ("config.yml",)
            before = {key: ctx.params.get(key) for key in ("env", "profile", "region")}
            problem = old_syntax.replacement(args, files, advised_commands.options(**before))
            if problem:
                raise click.UsageError(problem, ctx)
            self._check_command(ctx, args)
        return super().resolve_command(ctx, args)

    def _check_command(self, ctx: click.Context, args: list[str]) -> None:
        """Raise a usage error if shared options stand alone, or before an unknown command."""
        word = args[0]
        if word.split("=")[0] in self._shared_options(ctx):
            number = next(self._plain_words(ctx, args), None)
            if number is None:
                raise click.UsageError("Missing command.", ctx)
            word = args[number]
        if word[:1] != "-" and not self._is_word(word):
            near = get_close_matches(word.replace("-", "_"), self._modules, 1)
            meant = f" Did you mean {near[0]!r}?" if near else ""
            raise click.UsageError(f"No such command {word!r}.{meant}", ctx)

    def _shared_options(self, ctx: click.Context) -> set[str]:
        """The options of the group that a command has too: not --help and --version."""
        params = [param for param in self.get_params(ctx) if isinstance(param, click.Option)]
        return {name for param in params if param.expose_value for name in param.opts}

    def _is_word(self, word: str) -> bool:
        """Whether a word is, or was, the name of a command."""
        return word.replace("-", "_") in self._modules or old_syntax.is_gone(word)

    def _is_command(self, word: str) -> bool:
        return self._is_word(word) and not Path(word).is_file()

    def _with_config(self, ctx: click.Context, args: list[str], first: int) -> list[str]:
        if "--help" in args or "-h" in args[first:]:
            return ["CONFIG", *args]
        try:
            return [_default_config(args[first]), *args]
        except click.UsageError as error:
            if ctx.resilient_parsing:
                return args
            error.ctx = ctx
            raise

    def _plain_words(self, ctx: click.Context, args: list[str]) -> Iterator[int]:
        """Number the words that are neither options nor what an option takes."""
        valued = {
            name
            for param in self.get_params(ctx)
            if isinstance(param, click.Option) and not param.is_flag
            for name in param.opts
        }
        for number, word in enumerate(args):
            if not word.startswith("-") and not (number and args[number - 1] in valued):
                yield number

    def _joined(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Make one argument of the config files before the command: click takes a fixed number."""
        files: list[int] = []
        for number in self._plain_words(ctx, args):
            if files and self._is_word(args[number]):
                joined = BETWEEN_FILES.join(args[file] for file in files)
                before = [word for at, word in enumerate(args[:number]) if at not in files]
                return [*before, joined, *args[number:]]
            files.append(number)
        if ctx.resilient_parsing and len(files) > 1:
            # A shell completes the word after the config files: they are all one argument.
            joined = BETWEEN_FILES.join(args[file] for file in files)
            return [*(word for at, word in enumerate(args) if at not in files), joined]
        if len(files) > 1 and Path(args[files[-1]]).is_file():
            raise click.UsageError("Which command? It stands after the config files.", ctx)
        return args


def _default_config(command: str) -> str:
    """The config that is meant where none is named.

    Raises: UsageError, if there is none, or more than one.
    """
    if given := os.environ.get("KAPPA_CONFIG", ""):
        return given
    existing = [name for name in _DEFAULT_CONFIGS if Path(name).is_file()]
    if command == "init":
        return (existing or _DEFAULT_CONFIGS)[0]
    if len(existing) > 1:
        choices = " or ".join(f"`{kappa_command(command, name)}`" for name in existing)
        raise click.UsageError(f"This folder has {' and '.join(existing)}: run {choices}.")
    if existing:
        return existing[0]
    raise click.UsageError(
        f"This folder has neither {' nor '.join(_DEFAULT_CONFIGS)}. "
        f"Name the config, as in `{kappa_command(command, 'FOLDER/config.yml')}`, or write one "
        "with `kappa init`."
    )


def command(
    *,
    several: bool = False,
    together: bool = False,
    packs: bool = False,
    confirm: Callable[[Options, dict[str, Any]], None] | None = None,
    uses: Uses | Callable[[dict[str, Any]], Uses] = ALL,
) -> Callable[[Callable[..., int | None]], click.Command]:
    """Make a function a command of the group, with its docstring as its help.

    What the function returns is the exit code; None is 0. `several`: it takes several configs,
    one after another or side by side; `together`: it is called once for all of them.
    `packs`: of several configs, the code of all is packed before the first is used.
    `confirm` is called first, with the options and the arguments, of which it takes its own out.
    `uses` names the places of a config whose values it needs, or chooses them by the arguments.
    """

    def decorate(function: Callable[..., int | None]) -> click.Command:
        @common
        @click.pass_context
        def run(ctx: click.Context, /, **given: Any) -> int | None:  # noqa: ANN401
            options = merge(ctx.obj, given)
            options.uses = uses if isinstance(uses, Uses) else uses(given)
            if confirm is not None:
                confirm(options, given)
            if together or len(options.configs) == 1:
                return function(options, **given)
            if not several:
                raise click.UsageError(f"{function.__name__} takes one config file.", ctx)
            from kappa.commands.several_configs import run_each

            return run_each(options, function, given, packs=packs)

        run.__doc__ = with_example(function.__doc__)
        run.__click_params__ = [  # type: ignore[attr-defined]
            *getattr(function, "__click_params__", []),
            *run.__click_params__,  # type: ignore[attr-defined]
        ]
        return click.command(function.__name__)(run)

    return decorate
