"""Time commands, and let what is compared take turns."""

from __future__ import annotations

import resource
import statistics
import subprocess
import time
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from kappa.errors import KappaError

Name = TypeVar("Name", bound=Hashable)


def in_turn(
    runs: Mapping[Name, Callable[[], Sequence[float]]], rounds: int
) -> dict[Name, list[float]]:
    """Call each once a round, so that the machine's other work slows all; return the medians."""
    figures: dict[Name, list[Sequence[float]]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            figures[name].append(run())
    return {name: medians(of) for name, of in figures.items()}


def medians(runs: Iterable[Sequence[float]]) -> list[float]:
    """The median of each figure of the runs."""
    return [statistics.median(same) for same in zip(*runs, strict=True)]


def timed(line: str, folder: Path, output: str = "") -> tuple[float, float]:
    """Run a shell command; return the wall and CPU milliseconds of its processes.

    Raises: KappaError, if it fails or does not print `output`.
    """
    before, begun_s = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(
        line, shell=True, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, check=False
    )
    wall_s, after = time.perf_counter() - begun_s, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode or output not in done.stdout.decode():
        raise KappaError(f"{line} failed: {done.stderr.decode()[-600:]}")
    cpu_s = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    return 1000 * wall_s, 1000 * cpu_s
