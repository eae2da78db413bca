"""Which places of a config a command uses: only they must be filled in, and AWS is asked for them.

It imports nothing, since the command line names these before it loads anything else.
"""

from __future__ import annotations

from typing import NamedTuple

_Keys = tuple[str | int, ...]


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


ALL = Uses()
# All is checked, and AWS is not asked.
OFFLINE = Uses(asks=False)
_ACCOUNT: tuple[_Keys, ...] = (("profile",), ("region",))
# What names the function, and what it is called with. Who may only read its logs needs no rights
# on what its other parts are named by.
FUNCTION = Uses(
    (*_ACCOUNT, *(("lambda", key) for key in ("alias", "logging", "name", "test_data")))
)
# What names the function and its parts.
NAMES = Uses(
    (
        *FUNCTION.only,
        ("iam", "role"),
        *(("iam", "policy", key) for key in ("arn", "name", "path")),
        *(("lambda", key) for key in ("event_sources", "permissions", "url")),
    ),
    tuple(
        ("lambda", "event_sources", "*", key)
        for key in ("filter_criteria", "filter_policy", "input", "pattern")
    ),
)
# What is packed.
CODE = Uses(
    (
        *_ACCOUNT,
        *(("lambda", key) for key in ("build", "build_inputs", "build_packages", "dependencies")),
        *(("lambda", key) for key in ("excluded_dirs", "excluded_files", "requirements")),
        *(("lambda", key) for key in ("architectures", "handler", "image", "layers", "name")),
        *(("lambda", key) for key in ("path", "runtime", "s3_bucket", "zipfile_name")),
    )
)
