"""The files that a reading depends on, each in the state that it had before it was read.

Whoever reads a file names it here first; while nobody collects, that does nothing. A change during
the reading therefore shows in the next comparison. It reads no content.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from stat import S_ISDIR
from typing import Literal

import msgspec

# Times, size and inode: a file that is written, replaced or made a program has others.
State = tuple[int, ...] | None
Kind = Literal["settings", "code", "folders"]


class Inputs(msgspec.Struct, frozen=True):
    """State by path; None: it does not exist; (): a folder whose content does not count.

    settings: the config and what it names, such as included values, policy and requirements.
    code: what is packed. folders: where packed files are, which change when one is added.
    """

    settings: dict[str, State] = msgspec.field(default_factory=dict)
    code: dict[str, State] = msgspec.field(default_factory=dict)
    folders: dict[str, State] = msgspec.field(default_factory=dict)


_COLLECTED: ContextVar[Inputs | None] = ContextVar("_COLLECTED", default=None)


@contextmanager
def collecting(inputs: Inputs | None) -> Iterator[None]:
    """Collect what this thread reads into `inputs`; None: nothing of it counts."""
    before = _COLLECTED.set(inputs)
    try:
        yield
    finally:
        _COLLECTED.reset(before)


def depends_on(path: Path, kind: Kind = "settings") -> None:
    """Name a file or folder that is about to be read or looked for."""
    inputs = _COLLECTED.get()
    if inputs is not None:
        name = os.path.abspath(path)  # noqa: PTH100 - links stay, which may lead elsewhere later
        states: dict[str, State] = getattr(inputs, kind)
        if name not in states:
            states[name] = _state(name, kind)


def is_collecting() -> bool:
    """Whether anybody asks which files are read."""
    return _COLLECTED.get() is not None


def look_again(files: Iterable[Path]) -> None:
    """Take these files, and every folder, as they are now: a command of ours has written there."""
    if inputs := _COLLECTED.get():
        for file in files:
            name = os.path.abspath(file)  # noqa: PTH100
            inputs.code[name] = _state(name, "code")
        for name in inputs.folders:
            inputs.folders[name] = _state(name, "folders")


def read_again(inputs: Inputs) -> Inputs:
    """Read the present state of the same paths."""
    return Inputs(
        {name: _state(name, "settings") for name in inputs.settings},
        {name: _state(name, "code") for name in inputs.code},
        {name: _state(name, "folders") for name in inputs.folders},
    )


def joined(before: Inputs, later: Inputs) -> Inputs:
    """The files of two readings; one that both read is in the state of the later."""
    return Inputs(
        before.settings | later.settings,
        before.code | later.code,
        before.folders | later.folders,
    )


def _state(path: str, kind: Kind) -> State:
    try:
        stat = os.stat(path)  # noqa: PTH116 - thousands each second, as plain text
    except (OSError, ValueError):
        return None
    if kind != "folders" and S_ISDIR(stat.st_mode):
        return ()  # what is in it has states of its own
    return stat.st_mtime_ns, stat.st_ctime_ns, stat.st_size, stat.st_ino
