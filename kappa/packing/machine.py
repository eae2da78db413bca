"""Lambda's platform in pip's terms: Python, architecture, glibc, markers. Pure.

It owns which wheels fit a runtime. A new Python in Lambda is one more entry in PATCHES.
"""

from __future__ import annotations

import re

import msgspec

# The last release of each minor version of Python. Source: python.org, "Python releases".
PATCHES = {6: 15, 7: 17, 8: 20, 9: 25, 10: 20, 11: 15, 12: 13, 13: 13, 14: 4, 15: 0}
_MACHINES = {"x86_64": "x86_64", "arm64": "aarch64"}


class Machine(msgspec.Struct, frozen=True):
    """One of Lambda's platforms: Python's minor version and the architecture."""

    minor: int
    architecture: str = "x86_64"

    @property
    def release(self) -> str:
        """The Python version that packages are chosen for, with its patch level, as 3.13.13.

        Lambda updates its runtimes itself, so the last release known here is the closest.
        Source: AWS Lambda guide, "Understanding how Lambda manages runtime version updates".
        """
        return f"3.{self.minor}.{PATCHES.get(self.minor, 0)}"

    @property
    def glibc(self) -> int:
        """The minor version of the C library.

        Source: AWS Lambda guide, "Lambda runtimes": Python 3.12 and later run on Amazon Linux
        2023 with glibc 2.34, earlier ones on Amazon Linux 2 with glibc 2.26.
        """
        return 34 if self.minor >= 12 else 26

    @property
    def uv_platform(self) -> str:
        """The platform by uv's name."""
        return f"{_MACHINES[self.architecture]}-manylinux_2_{self.glibc}"

    @property
    def flags(self) -> list[str]:
        """The arguments that make pip choose the wheels of this platform."""
        machine = _MACHINES[self.architecture]
        # manylinux_2_5 is the oldest name of x86_64, and 2_17 that of arm64.
        oldest = 5 if self.architecture == "x86_64" else 17
        tags = [f"manylinux_2_{minor}_{machine}" for minor in range(self.glibc, oldest - 1, -1)]
        platforms = [*tags, f"manylinux2014_{machine}"]
        return [
            *(word for tag in platforms for word in ("--platform", tag)),
            *("--implementation", "cp", "--python-version", self.release),
            *("--abi", f"cp3{self.minor}", "--only-binary=:all:"),
        ]

    @property
    def markers(self) -> dict[str, str]:
        """The values of environment markers, for requirements that depend on the platform.

        Source: Python packaging guide, "Dependency specifiers", environment markers.
        """
        version = f"3.{self.minor}"
        return {
            "implementation_name": "cpython",
            "implementation_version": self.release,
            "os_name": "posix",
            "platform_machine": _MACHINES[self.architecture],
            "platform_python_implementation": "CPython",
            "platform_release": "",
            "platform_system": "Linux",
            "platform_version": "",
            "python_full_version": self.release,
            "python_version": version,
            "sys_platform": "linux",
        }

    def runs(self, tag: str) -> bool:
        """Whether a wheel's tag fits this platform. pip checks the glibc version."""
        python, abis, platforms = [*tag.split("-"), "", ""][:3]
        return (
            bool({"none", "abi3", f"cp3{self.minor}"} & set(abis.split(".")))
            and any(name == "any" or self._is_platform(name) for name in platforms.split("."))
            and any(name.startswith(("py", "cp")) for name in python.split("."))
        )

    def is_foreign(self, tag: str) -> bool:
        """Whether a tag promises nothing for machines other than the one that built the wheel."""
        return not any(
            name == "any" or name.startswith("manylinux")
            for name in tag.rpartition("-")[2].split(".")
        )

    def _is_platform(self, platform: str) -> bool:
        return "linux" in platform and platform.endswith(f"_{_MACHINES[self.architecture]}")

    def __str__(self) -> str:
        """The platform as text, for messages."""
        return f"Python 3.{self.minor} on {self.architecture} Linux"


def python_minor(runtime: str) -> int | None:
    """The minor version of a runtime of Python 3; None if it is another runtime."""
    match = re.fullmatch(r"python3\.(\d{1,3})", runtime)
    return int(match[1]) if match else None


def machine_of(runtime: str, architecture: str) -> Machine | None:
    """The platform that packages are installed for; None if the runtime is not Python."""
    minor = python_minor(runtime)
    return None if minor is None else Machine(minor, architecture)
