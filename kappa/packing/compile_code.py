"""Compile Python files without running them, and report those with errors.

kappa imports this file, and another Python, from 3.6 on, may run it as a script. So it must not
import anything that another Python lacks, use syntax that it cannot read, or load slowly.
"""

import sys

# The file name of the code in warnings.
NAME = "kappa: code to deploy"


def unreadable(files: "list[bytes]") -> "list[tuple[int, int, str]]":
    """Find the files that this Python cannot compile: number of the file, line, message.

    Code that is nested too deeply for this Python is accepted.
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
    """Read files from stdin, each after a line with its size; print JSON for check_syntax.py."""
    stdin = sys.stdin.buffer
    files = [stdin.read(int(size_bytes)) for size_bytes in iter(stdin.readline, b"")]
    rows = unreadable(files)
    problems = "[]"
    if rows:
        import json  # takes as long to load as Python itself

        problems = json.dumps(rows)
    sys.stdout.write(f'{{"minor": {sys.version_info[1]}, "problems": {problems}}}\n')


if __name__ == "__main__":
    main()
