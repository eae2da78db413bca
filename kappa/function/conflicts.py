"""Two deploys of a function at once: the second one stops with a Conflict, so they never mix.

Each write relies on what was read before, and another deploy may come in between. So the function
is compared once more right before the write, and AWS accepts the write only for the revision that
was compared. Pure.
Source: AWS Lambda API reference, "UpdateFunctionCode", "UpdateFunctionConfiguration",
"PublishVersion", "UpdateAlias", RevisionId; "PreconditionFailedException".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kappa.config.model import Config
from kappa.errors import Conflict
from kappa.function.code import compare_code
from kappa.function.params import SETTINGS, current, desired
from kappa.packing.archive import Archive
from kappa.plan.step import Guard

Answer = Mapping[str, Any]


@dataclass(frozen=True)
class Compared:
    """The function as it was when the plan was made, and as it is to be.

    `before` is what GetFunction answered then; None: this plan makes the function.
    """

    config: Config
    archive: Archive | None
    role_arn: str
    before: Answer | None

    def differing(self, now: Answer, *, settings: bool, code: bool) -> list[str]:
        """Name what differs from what is expected by `now`, GetFunction's answer.

        A part that is done, `settings` or `code`, is expected as the config wants it; else as
        before. What the config does not name is always expected as before.
        """
        return [*self._settings(now, done=settings), *(self._code(now, done=code))]

    def _settings(self, now: Answer, *, done: bool) -> list[str]:
        actual = now["Configuration"]
        is_new = self.before is None
        expected = desired(self.config, self.role_arn, actual) if done or is_new else {}
        if self.before is not None:
            before = self.before["Configuration"]
            expected = {key: current(before, key) for key in SETTINGS} | expected
        return [key for key, value in expected.items() if current(actual, key) != value]

    def _code(self, now: Answer, *, done: bool) -> list[str]:
        if not done and self.before is not None:
            before, actual = self.before["Configuration"], now["Configuration"]
            return ["code"] if before.get("CodeSha256") != actual.get("CodeSha256") else []
        is_, should = compare_code(
            self.config, self.archive, now["Configuration"], now.get("Code", {})
        )
        return ["code"] if is_ != should else []


def guard_update(
    compared: Compared, part: str, *, settings: bool, code: bool, again: bool = False
) -> Guard:
    """Guard the update of one part, "settings" or "code"; the flags name the parts that are done.

    An update that has been made, since only AWS's answer was lost, is not made twice; one that is
    sent `again` is, though nothing differs.
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


def guard_publishing(compared: Compared, *, done: bool = True) -> Guard:
    """Guard a version: it has what this config wants or, if not `done`, what was read."""

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


def guard_alias(config: Config, alias: Answer) -> Guard:
    """Guard the move of an alias from where it was read; the step has its RevisionId."""
    name, before = alias["Name"], alias["FunctionVersion"]

    def check(now: Answer, params: Answer) -> bool:
        current_version, to = now["Version"], params["FunctionVersion"]
        if current_version == to != before:
            return False
        if current_version != before:
            raise Conflict(
                f"The alias {name} of {config.function.name} has moved to version "
                f"{current_version} meanwhile: it was on {before}, and was to be moved to {to}.",
                f"See which there are: {config.command('versions')}. Then run the same command "
                "again, if it is still wanted.",
            )
        return True

    # This call takes a right that kappa needs anyway.
    # Source: AWS CLI reference, "get-function-configuration", --qualifier: of an alias it answers
    # the version that the alias points to.
    params = {"FunctionName": config.function.name, "Qualifier": name}
    return Guard("get_function_configuration", params, check)


def check_shared(compared: Compared, aliases: list[str]) -> None:
    """Refuse an alias of a function that has others' aliases and is not as this config wants it.

    Raises: Conflict, naming what differs.
    """
    assert compared.before is not None
    differing = compared.differing(compared.before, settings=True, code=True)
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
