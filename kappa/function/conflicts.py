"""Detect concurrent deploys: the second one stops with a Conflict, so they never mix. Pure.

Another deploy may change the function between our read and our write. So AWS accepts a write only
for the revision that was compared: for the first, the one of the plan. Later ones compare again.
Source: AWS Lambda API reference, "UpdateFunctionCode", "UpdateFunctionConfiguration",
"PublishVersion", "UpdateAlias", RevisionId; "PreconditionFailedException".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from kappa.config.model import Config
from kappa.config.settings import FUNCTION
from kappa.errors import Conflict
from kappa.function.code import compare_code
from kappa.function.params import current, desired, differing, function_params
from kappa.package.zip import Archive
from kappa.plan.step import Guard

Answer = Mapping[str, Any]


class Compared(msgspec.Struct, frozen=True):
    """The function as it was when the plan was made, and as the config wants it.

    `before` is GetFunction's answer at that time; None if the plan creates the function.
    """

    config: Config
    archive: Archive | None
    role_arn: str
    before: Answer | None

    def differing(self, answer: Answer, *, settings: bool, code: bool) -> list[str]:
        """List the parts of `answer`, from GetFunction, that are not as expected.

        `settings` and `code` tell which part is updated already: it must match the config. A part
        that is not must be as before, and so must every setting that the config does not name.
        """
        return [*self._settings(answer, done=settings), *(self._code(answer, done=code))]

    def _settings(self, answer: Answer, *, done: bool) -> list[str]:
        actual = answer["Configuration"]
        expected: dict[str, Any] = {}
        if self.before is not None:
            before = self.before["Configuration"]
            expected = {key: current(before, key) for key in ("Role", *FUNCTION.members)}
        if done or self.before is None:
            expected |= desired(self.config, self.role_arn, actual)
        return differing(expected, actual)

    def _code(self, answer: Answer, *, done: bool) -> list[str]:
        if not done and self.before is not None:
            before, actual = self.before["Configuration"], answer["Configuration"]
            return ["code"] if before.get("CodeSha256") != actual.get("CodeSha256") else []
        current_code, desired_code = compare_code(
            self.config, self.archive, answer["Configuration"], answer.get("Code", {})
        )
        return ["code"] if current_code != desired_code else []


def guard_update(
    compared: Compared,
    part: str,
    *,
    settings: bool,
    code: bool,
    again: bool = False,
    first: bool = False,
) -> Guard:
    """Guard the update of one part, "settings" or "code"; the flags tell which parts are done.

    If only AWS's answer was lost, the update is not repeated. With `again` it is sent although
    nothing differs. `first`: the plan does not change the function before.
    """
    done = {"settings": settings, "code": code} | {part: True}

    def check(answer: Answer, _params: Answer) -> bool:
        if not compared.differing(answer, **done):
            return again
        changed = compared.differing(answer, settings=settings, code=code)
        if changed:
            raise _changed(compared.config, changed, f"changed its {part}")
        return True

    guard = _of_function(compared.config, check, {"RevisionId": "Configuration.RevisionId"})
    return msgspec.structs.replace(guard, known=compared.before if first else None)


def guard_publishing(compared: Compared, *, done: bool = True) -> Guard:
    """Guard a version: the function must match the config or, unless `done`, be as before."""

    def check(answer: Answer, _params: Answer) -> bool:
        changed = compared.differing(answer, settings=done, code=done)
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
        "When the other command has ended, run the same command again.",
    )


def guard_alias(config: Config, alias: Answer) -> Guard:
    """Guard the move of an alias: it must still be where it was read."""
    name, before = alias["Name"], alias["FunctionVersion"]

    def check(answer: Answer, params: Answer) -> bool:
        current_version, to = answer["Version"], params["FunctionVersion"]
        if current_version == to != before:
            return False
        if current_version != before:
            raise Conflict(
                f"The alias {name} of {config.function.name} has moved to version "
                f"{current_version} meanwhile: it was on {before}, and was to be moved to {to}.",
                f"List the versions: {config.command('versions')}. Then run the same command "
                "again, if it is still wanted.",
            )
        return True

    # Unlike get_alias, this call needs no additional permission: kappa uses it anyway.
    # Source: AWS CLI reference, "get-function-configuration", --qualifier: for an alias, it returns
    # the version that the alias points to.
    params = function_params(config.function.name, name)
    return Guard("get_function_configuration", params, check)


def check_shared(compared: Compared, aliases: list[str]) -> None:
    """Refuse to add an alias to a function that has other aliases and differs from this config.

    Raises: Conflict, naming the differences.
    """
    assert compared.before is not None
    differing = compared.differing(compared.before, settings=True, code=True)
    if not differing:
        return
    config = compared.config
    name = config.function.name
    raise Conflict(
        f"The function {name} has the alias {', '.join(aliases)}, and it is not as this config "
        f"wants it ({', '.join(differing)}). create does not change it, and makes no alias "
        f"{config.published_alias} for it.",
        f"Publish what this config wants: {config.command('deploy')}",
    )
