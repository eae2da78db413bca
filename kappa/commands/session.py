"""What every command begins with: one config, the account that it is for, and the packed code.

Owns that each is read once, and that the command line wins over the config.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import Future
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_type_hints

import msgspec

from kappa.arn import Place
from kappa.aws import Aws
from kappa.config import advised_commands
from kappa.config.convert import allowed, fits
from kappa.config.model import Config, Function
from kappa.config.policy_document import Ask, read_policy_document
from kappa.config.read import read_config
from kappa.config.references import CALLER, REGION
from kappa.config.uses import ALL, Uses
from kappa.config.values import Answer, Value
from kappa.errors import ConfigError
from kappa.iam.owner import Owner
from kappa.plan.step import Clock, Report

if TYPE_CHECKING:
    from kappa.package.zip import Archive


def _no_report(_: Report) -> None:
    pass


class Session(msgspec.Struct, frozen=True, dict=True):
    """One config and the account that it is for.

    `report` is called before the code is built; `ask` reads the references of its document.
    `adopt`: take over what exists without an owner.
    """

    config: Config
    aws: Aws
    clock: Clock = msgspec.field(default_factory=Clock)
    report: Callable[[Report], None] = _no_report
    ask: Ask | None = None
    adopt: bool = False

    @property
    def owner(self) -> Owner:
        """The owner of what is made: this region."""
        return Owner(self.aws.region, self.adopt)

    @cached_property
    def document(self) -> dict[str, Any] | None:
        """The policy's document, if the config has one; its file is read once."""
        return read_policy_document(self.config, self.ask)

    @cached_property
    def zip(self) -> Archive | None:
        """The code, built and packed once, with the handler in it; None for a container image."""
        from kappa.package.handler import check_files, check_handler
        from kappa.package.pack import read_archive

        check_files(self.config)
        if self.config.function.image:
            return None
        archive = read_archive(self.config, report=self.report)
        check_handler(self.config, archive)
        return archive

    @cached_property
    def checked_zip(self) -> Archive | None:
        """The code, where it is to be run or sent: code that the runtime cannot read is refused."""
        archive = self.zip
        if archive:
            from kappa.package.syntax import check_syntax

            for note in filter(None, (*archive.notes, check_syntax(self.config, archive))):
                self.report(Report("warning", note))
        return archive

    @cached_property
    def place(self) -> Place:
        """Where the function lives; asks STS unless an earlier answer named the account."""
        return Place(self.aws.partition, self.aws.region, self.aws.account)

    def place_after(self, read: Future[Any]) -> Place:
        """The place, once a read has ended that may name the account: then STS is not asked."""
        read.result()
        return self.place


def open_session(
    file: Path,
    profile: str | None,
    region: str | None,
    known: dict[Any, Aws] | None = None,
    environment: str = "",
    report: Callable[[Report], None] = _no_report,
    *,
    uses: Uses = ALL,
    hide: Callable[[str, str], None] = lambda *_: None,
    adopt: bool = False,
) -> Session:
    """Read the config; the command line's profile and region win over the file's.

    `known` are the clients of other configs: those of one profile and region are shared. `report`
    is the Session's. AWS is asked only for values that the command `uses`; `hide` is given each
    secret among them, and what the config writes in its place. `adopt` is the Session's.
    Raises: ConfigError; AwsError, if AWS refuses a value.
    """
    clients = {} if known is None else known

    def aws_at(own_region: str | None, own_profile: str | None) -> Aws:
        where = (region or own_region or None, profile or own_profile or None)
        return clients.setdefault(where, Aws(*where))

    def read(names: Collection[str], own_region: str, own_profile: str) -> Mapping[str, Answer]:
        from kappa.commands.values import read_values

        return read_values(aws_at(own_region, own_profile), names, hide)

    def known_region(_: Collection[str], own_region: str, __: str) -> Mapping[str, Answer]:
        """Answer for the region, if it is known without a profile: `validate` needs no AWS."""
        variables = (os.environ.get(name) for name in ("AWS_REGION", "AWS_DEFAULT_REGION"))
        known = region or own_region or next(filter(None, variables), "")
        return {REGION: Value(known)} if known else {}

    config = read_config(file, environment, uses=uses, read=read if uses.asks else known_region)
    config = msgspec.structs.replace(
        config, given=advised_commands.options(profile=profile, region=region)
    )

    def ask(names: Collection[str]) -> Mapping[str, Answer]:
        # Who calls is known later without a call of its own.
        asked = [name for name in names if name not in CALLER]
        return read(asked, config.region or "", config.profile or "") if asked else {}

    aws = aws_at(config.region, config.profile)
    return Session(config, aws, report=report, ask=ask, adopt=adopt)


def with_publishing(session: Session, given: Mapping[str, Any]) -> Session:
    """Let the command line's publish, alias and keep_versions win over the config's.

    The alias moves versions only: event sources, URL and settings stay on lambda.alias.

    Raises: ConfigError.
    """
    chosen = {key: value for key, value in given.items() if value is not None}
    if not chosen:
        return session
    types = get_type_hints(Function, include_extras=True)
    for key, value in chosen.items():
        if not fits(value, types[key]):
            problem = f"--{key.replace('_', '-')} cannot be {value!r}."
            raise ConfigError(problem, f"Allowed: {allowed(types[key])}.")
    alias = chosen.pop("alias", "")
    changed = msgspec.structs.replace(session.config.function, **chosen)
    config = msgspec.structs.replace(session.config, function=changed, given_alias=alias)
    published = msgspec.structs.replace(session, config=config)
    # Nothing that was read depends on these keys, so keep it.
    vars(published).update(vars(session))
    return published
