"""What a write to a function or to its alias relies on, so that two deploys at once do not mix.

Each such write is made of what was read before; another deploy may come in between. So the function
is compared once more right before the write, and AWS makes it only of the revision that was
compared. Pure.
Source: AWS Lambda API reference, "UpdateFunctionCode", "UpdateFunctionConfiguration",
"PublishVersion", "UpdateAlias", RevisionId; "PreconditionFailedException".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kappa.config.model import Config
from kappa.errors import Conflict
from kappa.function import code as functioncode
from kappa.function.params import SETTINGS, present, wanted
from kappa.function.version_state import weights
from kappa.packing.archive import Archive
from kappa.plan.step import Guard

Answer = Mapping[str, Any]


@dataclass(frozen=True)
class Compared:
    """The function as the plan was made of, and as it shall be.

    `has` is what GetFunction answered before; None: the function is made by this plan.
    """

    config: Config
    archive: Archive | None
    role_arn: str
    has: Answer | None

    def differing(self, now: Answer, *, settings: bool, code: bool) -> list[str]:
        """Name what is not as it should be by now, of GetFunction's answer.

        Settings, or the code, are as the config wants them if that part is done; else as before.
        What the config does not name is always as before.
        """
        return [*self._settings(now, done=settings), *(self._code(now, done=code))]

    def _settings(self, now: Answer, *, done: bool) -> list[str]:
        found = now["Configuration"]
        said = wanted(self.config, self.role_arn, found) if done or self.has is None else {}
        if self.has is not None:
            before = self.has["Configuration"]
            said = {key: present(before, key) for key in SETTINGS} | said
        return [key for key, value in said.items() if present(found, key) != value]

    def _code(self, now: Answer, *, done: bool) -> list[str]:
        if not done and self.has is not None:
            before, found = self.has["Configuration"], now["Configuration"]
            return ["code"] if before.get("CodeSha256") != found.get("CodeSha256") else []
        is_, should = functioncode.compared(
            self.config, self.archive, now["Configuration"], now.get("Code", {})
        )
        return ["code"] if is_ != should else []


def of_update(
    compared: Compared, part: str, *, settings: bool, code: bool, again: bool = False
) -> Guard:
    """Guard the update of one part, "settings" or "code"; the flags say which part is done.

    An update that is done already, since AWS's answer was lost, is not made once more; one that is
    sent `again` must be, though nothing differs.
    """
    done = {"settings": settings, "code": code} | {part: True}

    def check(now: Answer, _params: Answer) -> bool:
        if not compared.differing(now, **done):
            return again
        changed = compared.differing(now, settings=settings, code=code)
        if changed:
            raise _changed(compared.config, changed, f"changed its {part}")
        return True

    return _of_function(compared.config, check, {"RevisionId": "Configuration.RevisionId"})


def of_publishing(compared: Compared, *, done: bool = True) -> Guard:
    """Guard a version: it is of what this config wants, or if not `done`, of what was read."""

    def check(now: Answer, _params: Answer) -> bool:
        changed = compared.differing(now, settings=done, code=done)
        if changed:
            raise _changed(compared.config, changed, "published a version")
        return True

    takes = {"RevisionId": "Configuration.RevisionId", "CodeSha256": "Configuration.CodeSha256"}
    return _of_function(compared.config, check, takes)


def _of_function(config: Config, check: Any, takes: Mapping[str, str]) -> Guard:  # noqa: ANN401
    return Guard("get_function", {"FunctionName": config.function.name}, check, takes)


def _changed(config: Config, changed: list[str], step: str) -> Conflict:
    return Conflict(
        f"Another command changed the function {config.function.name} meanwhile "
        f"({', '.join(changed)}). kappa stopped before it {step}, and moved no alias.",
        "When the other one has ended, run the same command again.",
    )


def of_alias(config: Config, alias: Answer) -> Guard:
    """Guard the move of an alias from where it was read; the step has its RevisionId."""
    name, has = alias["Name"], alias["FunctionVersion"]

    def check(now: Answer, params: Answer) -> bool:
        found, to = now["Version"], params["FunctionVersion"]
        if found == to != has:
            return False
        if found != has:
            raise Conflict(
                f"The alias {name} of {config.function.name} has moved to version {found} "
                f"meanwhile: it was on {has}, and was to be moved to {to}.",
                f"See which there are: {config.command('versions')}. Then run the same command "
                "again, if it is still wanted.",
            )
        return True

    # By a right that kappa needs anyway.
    # Source: AWS CLI reference, "get-function-configuration", --qualifier: of an alias it answers
    # the version that the alias points to.
    params = {"FunctionName": config.function.name, "Qualifier": name}
    return Guard("get_function_configuration", params, check)


def check_own(compared: Compared, aliases: list[str]) -> None:
    """Refuse to make an alias of a function that others' aliases share, as they have made it.

    Raises: Conflict, naming what differs from the config.
    """
    assert compared.has is not None
    differing = compared.differing(compared.has, settings=True, code=True)
    if not differing:
        return
    config = compared.config
    name = config.function.name
    raise Conflict(
        f"The function {name} has the alias {', '.join(aliases)}, and it is not as this config "
        f"wants it ({', '.join(differing)}). create leaves it so, and makes no alias "
        f"{config.function.alias} of it.",
        f"Publish what this config wants: {config.command('deploy')}",
    )


def before_move(alias: Answer) -> dict[str, Any]:
    """What a move replaces of an alias: its version, and the shares of others."""
    shares = weights(alias)
    routing = {"RoutingConfig": {"AdditionalVersionWeights": shares}} if shares else {}
    return {"FunctionVersion": alias["FunctionVersion"], **routing}
