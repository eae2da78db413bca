"""The command watch: what a change of a config's files changes on AWS.

Owns what a change leads to, and what watch refuses. the command's file waits, applies and prints.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from kappa.commands.deploy_plan import Current, plan_code, plan_deploy, read_current
from kappa.commands.file_watcher import FileWatcher, Pace
from kappa.commands.session import Session
from kappa.config.inputs import Inputs, State, joined
from kappa.config.model import Config
from kappa.errors import ConfigError, NotFound
from kappa.plan.step import Clock, Note, Plan, steps

# Nobody waits for a look, and an update in the middle of a save would take seconds for nothing.
PACE = Pace(pause_s=0.05, rests=20, quiet_s=0.1, max_wait_s=2.0)
_CREATING = frozenset({"create_function", "create_policy", "create_role"})


class Outdated(Exception):
    """A file was saved while its older state is being run."""


class Changes(msgspec.Struct, frozen=True):
    """The paths that changed, by what they are an input for."""

    settings: tuple[str, ...] = ()
    code: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """Whether anything changed."""
        return bool(self.settings or self.code or self.folders)


def changes(before: Inputs, now: Inputs) -> Changes:
    """Compare two looks at the same paths; a file of both kinds is one of the settings."""
    settings = _differing(before.settings, now.settings)
    code = tuple(path for path in _differing(before.code, now.code) if path not in settings)
    return Changes(settings, code, _differing(before.folders, now.folders))


def _differing(before: Mapping[str, State], now: Mapping[str, State]) -> tuple[str, ...]:
    return tuple(path for path, state in now.items() if state != before[path])


def outdated_check(inputs: Inputs, clock: Clock) -> Callable[[], None]:
    """A check that raises Outdated once settings or code differ; it may be called often.

    Not for a changed folder: that may be a swap file, and nothing would be run again.
    """
    watcher = FileWatcher(PACE, clock)

    def check() -> None:
        if not watcher.is_due():
            return
        (now,) = watcher.look([inputs])
        changed = changes(inputs, now)
        if changed.settings or changed.code:
            raise Outdated

    return check


def after_reading(now: Inputs, collected: Inputs, *, whole: bool, done: bool) -> Inputs:
    """Return the inputs to compare with from now on.

    `now`: the files whose change caused a reading; `collected`: those that it read. Those that it
    did not read, because it was not `whole` or not `done`, still count as in `now`.
    """
    if done and whole:
        return collected
    both = joined(now, collected)
    return Inputs(both.settings, collected.code, collected.folders) if done else both


def check_live(config: Config, *, is_named: bool) -> None:
    """Refuse to change at each save what others may call; `is_named`: the user chose the place.

    Raises: ConfigError.
    """
    function = config.function
    if is_named or not (function.publish or function.alias):
        return
    reasons = [
        *(["publishes what it deploys"] if function.publish else []),
        *([f"has the alias {function.alias}"] if function.alias else []),
    ]
    name = f"Name the environment, as in `--env {config.environment}`, or add --yes"
    raise ConfigError(
        f"{config.file} {' and '.join(reasons)}: others may call that, and watch would change it "
        "at each save.",
        f"{name if config.environment else 'Add --yes'} if that is meant.",
    )


def check_test_data(config: Config) -> None:
    """Check that there is something to invoke the function with.

    Raises: ConfigError.
    """
    if not config.function.test_data:
        raise config.error(
            ("lambda",),
            "lambda.test_data is missing: watch needs it to invoke the function.",
            "Add it, or leave --invoke and --local out.",
        )


def qualifier(config: Config) -> str:
    """Where the watched code can be called: the alias, if each deploy moves it."""
    return config.function.alias if config.function.publish else ""


def plan_all(session: Session) -> tuple[Plan, Current]:
    """Plan what deploy would, and return what AWS has, for the plans of later changes of code.

    Raises: NotFound, if it would create a function, role or policy.
    """
    current = read_current(session)
    plan = plan_deploy(session, current)
    missing = [step.message for step in steps(plan) if step.operation in _CREATING]
    if missing:
        raise NotFound(
            f"Not on AWS: {', '.join(missing)}. watch creates none of these.",
            f"Create what is missing: {session.config.command('deploy')}",
        )
    return plan, current


def plan_changed_code(session: Session, current: Current, sha256: str) -> Plan:
    """Plan a change of the code, with a fresh look at the function alone.

    `sha256` is of the code that watch deployed last.
    """
    plan, settings = plan_code(session, current)
    name = session.config.function.name
    if sha256 and settings.get("CodeSha256") not in (sha256, None):
        note = f"another command has changed the code of {name} meanwhile: it is replaced"
        return [Note("warning", note), *plan]
    return plan


def with_new_code(session: Session) -> Session:
    """A session for the same config that packs the code anew."""
    config = msgspec.structs.replace(session.config, notes=())
    fresh = msgspec.structs.replace(session, config=config)
    kept = {key: value for key, value in vars(session).items() if key in ("document", "place")}
    vars(fresh).update(kept)
    return fresh
