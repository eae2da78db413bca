"""Which places of a config a command uses: only there are references read.

It imports nothing, since the command line names these before it loads anything else.
"""

from __future__ import annotations

from typing import NamedTuple

_Keys = tuple[str | int, ...]
_NAMES: tuple[_Keys, ...] = (
    ("profile",),
    ("region",),
    ("lambda", "name"),
    ("lambda", "alias"),
    ("lambda", "logging"),
    ("lambda", "test_data"),
)
_SOURCES: tuple[_Keys, ...] = (("lambda", "event_sources"), ("lambda", "url"))


class Uses(NamedTuple):
    """Key paths: those that begin with one of `only`, and with none of `but`.

    "*" stands for any one key. `asks`: AWS may be asked for their values.
    """

    only: tuple[_Keys, ...] = ((),)
    but: tuple[_Keys, ...] = ()
    asks: bool = True

    def __call__(self, keys: _Keys) -> bool:
        """Whether what stands at a key path is used."""
        return _begins(keys, self.only) and not _begins(keys, self.but)


def _begins(keys: _Keys, prefixes: tuple[_Keys, ...]) -> bool:
    return any(
        len(prefix) <= len(keys)
        and all(key in ("*", own) for key, own in zip(prefix, keys, strict=False))
        for prefix in prefixes
    )


EVERYTHING = Uses()
# Everything is checked, and AWS is not asked.
OFFLINE = Uses(asks=False)
# What names the function, its alias and its log.
NAMES = Uses(_NAMES)
EVENTS = Uses((*_NAMES, *_SOURCES))
# What only packing needs.
_BUILT: tuple[_Keys, ...] = tuple(
    ("lambda", key)
    for key in (
        *("build", "build_inputs", "build_packages", "dependencies", "excluded_dirs"),
        *("excluded_files", "requirements", "zipfile_name"),
    )
)
_CONTENT: tuple[_Keys, ...] = (
    ("iam", "policy", "document", "*"),
    ("lambda", "description"),
    ("lambda", "environment"),
    ("lambda", "tags"),
    *_BUILT,
)
# What a function is connected to, and how, without the content of its own settings and code.
CONNECTIONS = Uses(but=_CONTENT)
# What is needed to show or remove all of its parts, whatever they contain.
PARTS = Uses(but=(*_CONTENT, ("lambda", "event_sources", "*", "input", "*")))
_PACKED = ("architectures", "handler", "image", "layers", "name", "path", "runtime", "s3_bucket")
CODE = Uses((("profile",), ("region",), *(("lambda", key) for key in _PACKED), *_BUILT))
