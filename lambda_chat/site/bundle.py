"""Bundle and minify the page's scripts, style sheets and pictures under hashed names.

Code that the first view does not need goes into a file of its own, which `import()` loads. Owns the
call of esbuild and the reading of its report. It must not know AWS or the config.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any

import msgspec

from kappa.errors import KappaError
from kappa.texts import shown
from lambda_chat.site.sources import BUNDLED, PUBLIC, SIGNS

ESBUILD = Path(".bin/esbuild")
PICTURES = (".ico", ".png", ".svg", ".woff2")
OPTIONS = (
    "--bundle",
    "--splitting",
    "--format=esm",
    "--minify",
    "--sourcemap",
    "--charset=utf8",
    *(f"--loader:{suffix}=copy" for suffix in PICTURES),
    # the name contains a digest of the content
    "--entry-names=[dir]/[name]-[hash]",
    "--asset-names=[dir]/[name]-[hash]",
    "--chunk-names=js/[name]-[hash]",
    # source maps name sources by their paths in the site, never by this machine's folders
    "--preserve-symlinks",
    "--outbase=.",
    "--outdir=.",
    "--log-level=error",
)


class Bundle(msgspec.Struct, frozen=True):
    """The output of esbuild.

    `names` maps each entry to its hashed name, `hashed` holds all written files. `preloads` are the
    scripts that the entries import statically: named in index.html, they load in the same round
    trip.
    """

    names: dict[str, str]
    preloads: list[str]
    hashed: frozenset[str]


def is_bundled(key: str) -> bool:
    """Whether esbuild can bundle it: some characters have a meaning on its command line."""
    return key.endswith((*BUNDLED, *PICTURES)) and not any(sign in key for sign in SIGNS)


def bundle(folder: Path, entries: Iterable[str], modules: Path) -> Bundle:
    """Bundle the entries of a site that is built in `folder`; `modules` is node_modules.

    The bundled sources are removed from the site. Each bundle has a source map beside it, which
    browsers load only for their developer tools.
    Raises: KappaError, with esbuild's message, for an invalid file, or if esbuild does not run;
    naming a file outside the site that one of its files loads.
    """
    names = sorted(entries)
    if not names:
        return Bundle({}, [], frozenset())
    sources = {path.relative_to(folder).as_posix() for path in folder.rglob("*")}
    packages = folder / "node_modules"
    packages.symlink_to(modules.resolve())
    try:
        report = _esbuild(folder, names, modules)
    finally:
        packages.unlink()
    _refuse_outside(report["inputs"], sources, folder)
    for key in sources.intersection(report["inputs"]):
        (folder / key).unlink()
    return _read(report)


def _refuse_outside(inputs: dict[str, Any], sources: Collection[str], folder: Path) -> None:
    """Refuse files that belong neither to the site nor to a package.

    What is bundled becomes public. Paths that are no files are esbuild's own, virtual modules.
    """
    for key, read in inputs.items():
        for link in read["imports"]:
            path = link["path"]
            known = path in sources or path.startswith("node_modules/")
            if not known and (folder / path).is_file():
                loaded = link.get("original", path)
                raise KappaError(
                    shown(f"{key} loads {loaded}, which is outside the page's folder."), PUBLIC
                )


def _read(report: dict[str, Any]) -> Bundle:
    """Read esbuild's report. Source: esbuild's documentation, "Metafile"."""
    outputs: dict[str, Any] = report["outputs"]
    names = {made["entryPoint"]: key for key, made in outputs.items() if "entryPoint" in made}
    # files that `import()` loads are entry points too, but the page does not reference them
    lazy = {
        link["path"]
        for made in outputs.values()
        for link in made["imports"]
        if link["kind"] == "dynamic-import"
    }
    at_once = [key for key in names.values() if key not in lazy]
    preloads: list[str] = []
    for key in at_once:
        for link in outputs[key]["imports"]:
            if link["kind"] == "import-statement" and link["path"] not in preloads:
                preloads.append(link["path"])
                at_once.append(link["path"])
    return Bundle(names, preloads, frozenset(outputs))


def _esbuild(folder: Path, names: list[str], modules: Path) -> dict[str, Any]:
    """Write the bundles into the folder; return esbuild's report."""
    path = folder / "bundle.json"
    command = [str(modules / ESBUILD), *names, *OPTIONS, f"--metafile={path.name}"]
    again = f"Remove {modules} and run update.sh again: it installs esbuild for this machine."
    try:
        ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    except OSError as error:
        raise KappaError(f"esbuild cannot run: {error.strerror}: {command[0]}.", again) from error
    if ended.returncode != 0:
        if not ended.stderr.strip():
            code = ended.returncode
            raise KappaError(f"esbuild failed with exit code {code} and no message.", again)
        raise KappaError(f"The page is not valid, nothing was uploaded:\n{ended.stderr.strip()}")
    report: dict[str, Any] = json.loads(path.read_text("utf-8"))
    path.unlink()
    return report
