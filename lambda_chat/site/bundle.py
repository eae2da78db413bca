"""The page's scripts, style sheets and pictures, made small and few, with hashed names.

What a first view does not need is a file of its own, which `import()` loads when it is used. Owns
the call of esbuild, and how its report is read. It must not know AWS or the config.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from kappa.errors import KappaError
from lambda_chat.site.sources import BUNDLED, SIGNS

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
    # a digest of the content: what has another content has another name
    "--entry-names=[dir]/[name]-[hash]",
    "--asset-names=[dir]/[name]-[hash]",
    "--chunk-names=js/[name]-[hash]",
    # a map names its sources by their places in the site, never by this machine's folders
    "--preserve-symlinks",
    "--outbase=.",
    "--outdir=.",
    "--log-level=error",
)


class Bundle(msgspec.Struct, frozen=True):
    """What esbuild has made.

    `names` has the hashed name of each file that was asked for, `hashed` all files that it wrote.
    `preloads` are the scripts that the asked ones import at once: a browser that learned of them
    from index.html loads them in the same round trip.
    """

    names: dict[str, str]
    preloads: list[str]
    hashed: frozenset[str]


def is_bundled(key: str) -> bool:
    """Can it have a hashed name? On esbuild's command line some signs have a meaning."""
    return key.endswith((*BUNDLED, *PICTURES)) and not any(sign in key for sign in SIGNS)


def bundle(folder: Path, entries: Iterable[str], modules: Path) -> Bundle:
    """Bundle the entries of a site that is built in `folder`; `modules` is node_modules.

    What is part of a bundle is no file of the site any more. Beside each bundle goes its map, which
    a browser reads only to show the sources to a developer.
    Raises: KappaError, with esbuild's words, for a file that is not valid; or if esbuild itself
    does not run.
    """
    names = sorted(entries)
    if not names:
        return Bundle({}, [], frozenset())
    packages = folder / "node_modules"
    packages.symlink_to(modules.resolve())
    try:
        report = _esbuild(folder, names, modules)
    finally:
        packages.unlink()
    for key in report["inputs"]:
        if not key.startswith("node_modules/"):
            (folder / key).unlink(missing_ok=True)  # esbuild names what it makes up, too
    return _read(report)


def _read(report: dict[str, Any]) -> Bundle:
    """Describe what esbuild has made. Source: esbuild's documentation, "Metafile"."""
    outputs: dict[str, Any] = report["outputs"]
    names = {made["entryPoint"]: key for key, made in outputs.items() if "entryPoint" in made}
    # those that `import()` loads are entry points too, which no page names
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
    """Write the bundles into the folder; return esbuild's report of them."""
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
            raise KappaError(f"esbuild ended with exit code {code} and said nothing.", again)
        raise KappaError(f"The page is not valid, nothing was uploaded:\n{ended.stderr.strip()}")
    report: dict[str, Any] = json.loads(path.read_text("utf-8"))
    path.unlink()
    return report
