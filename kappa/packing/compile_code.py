"""Compile Python files, and report which cannot be read; none is run.

kappa's own Python imports this file, and another Python runs it as a script: so it imports nothing
that another Python lacks, or takes long to load.
"""

from __future__ import annotations

import sys

# What the code is called in warnings.
NAME = "kappa: code to deploy"


def unreadable(files: list[bytes]) -> list[tuple[int, int, str]]:
    """Find the files that this Python cannot read: the number, the line, and what is wrong.

    Code that is nested too deeply for this Python is left to Lambda's.
    """
    rows = []
    for number, text in enumerate(files):
        try:
            compile(text, NAME, "exec", dont_inherit=True)
        except SyntaxError as error:
            rows.append((number, error.lineno or 1, error.msg))
        except ValueError as error:
            rows.append((number, 1, str(error)))
        except (RecursionError, MemoryError):
            pass
    return rows


def main() -> None:
    """Read files from stdin, each after a line with its size; print JSON for syntax.py."""
    files = []
    while size_bytes := sys.stdin.buffer.readline():
        files.append(sys.stdin.buffer.read(int(size_bytes)))
    rows = unreadable(files)
    problems = "[]"
    if rows:
        import json  # takes as long as Python's own start

        problems = json.dumps(rows)
    sys.stdout.write(f'{{"minor": {sys.version_info[1]}, "problems": {problems}}}\n')


if __name__ == "__main__":
    main()
