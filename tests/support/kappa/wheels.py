"""Wheels as small as pip takes them, the machines they are for, and what an installation holds."""

import os
import zipfile
from pathlib import Path

from kappa.packing.machine import Machine

X86 = Machine(13)
ARM = Machine(13, "arm64")


def wheel(folder, name="tea", version="1.0", tag="py3-none-any", requires=(), **files):
    """A wheel as small as pip takes it."""
    info = f"{name}-{version}.dist-info"
    needs = "".join(f"Requires-Dist: {package}\n" for package in requires)
    files = {
        f"{name}/__init__.py": f'TAG = "{tag}"\n',
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needs}",
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tag}\n",
        **files,
    }
    record = "".join(f"{path},,\n" for path in (*files, f"{info}/RECORD"))
    folder.mkdir(exist_ok=True)
    with zipfile.ZipFile(folder / f"{name}-{version}-{tag}.whl", "w") as archive:
        for path, text in {**files, f"{info}/RECORD": record}.items():
            archive.writestr(path, text)


def contents(folder):
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def hide_uv(monkeypatch):
    """Leave the folders with a uv out of PATH."""
    folders = os.environ["PATH"].split(os.pathsep)
    left = [folder for folder in folders if not Path(folder, "uv").exists()]
    monkeypatch.setenv("PATH", os.pathsep.join(left))
