"""The page's scripts and style sheets, made small and few: esbuild bundles what is loaded together.

Owns the call of esbuild, and which file is a bundle. It must not know AWS or the config.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable
from pathlib import Path

from kappa.errors import KappaError
from lambda_chat.site.sources import BUNDLED

ESBUILD = Path(".bin/esbuild")
# What index.html loads. Each module that these import is part of them.
ENTRIES = ("css/main.css", "js/main.js")
# What main.js imports only when it is used. Each is a complete bundle under a fixed name. So a page
# that was opened before an update still finds it after that, and no script needs another of its
# version. What it shares with main.js is there twice: that must be no state that both change.
LAZY = ("js/view/activity.js",)
# A style sheet's pictures and fonts stay where they are.
ASSETS = (".ico", ".png", ".svg", ".woff2")
OPTIONS = (
    "--bundle",
    "--format=esm",
    "--minify",
    "--sourcemap",
    "--charset=utf8",
    # each deployment's own: it is not part of any bundle
    "--external:../config.js",
    *(f"--external:./{key}" for key in LAZY),
    *(f"--loader:{suffix}=file" for suffix in ASSETS),
    "--asset-names=[dir]/[name]",
    # a map names its sources by their places in the site, never by this machine's folders
    "--preserve-symlinks",
    "--allow-overwrite",
    "--outbase=.",
    "--outdir=.",
    "--log-level=error",
)


def bundle(folder: Path, modules: Path) -> None:
    """Bundle the scripts and style sheets in a built site's folders; `modules` is node_modules.

    A module that is part of a bundle is no file of the site any more. What no bundle imports is
    a bundle of its own. Beside each goes its map, which a browser reads only to show the sources
    to a developer.
    Raises: KappaError, with esbuild's words, for a file that is not valid; or if esbuild itself
    does not run.
    """
    sources = {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.suffix in BUNDLED and path.parent != folder and path.is_file()
    }
    entries = sources & {*ENTRIES, *LAZY}
    packages = folder / "node_modules"
    packages.symlink_to(modules.resolve())
    try:
        inside = _esbuild(folder, entries, modules)
        _esbuild(folder, sources - inside, modules)
    finally:
        packages.unlink()
    for key in sources & inside - entries:
        (folder / key).unlink()


def _esbuild(folder: Path, entries: Iterable[str], modules: Path) -> set[str]:
    """Write each entry's bundle in its place; return all files that the bundles are made of."""
    names = sorted(entries)
    if not names:
        return set()
    report = folder / "bundle.json"
    command = [str(modules / ESBUILD), *names, *OPTIONS, f"--metafile={report.name}"]
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
    inputs: dict[str, object] = json.loads(report.read_text("utf-8"))["inputs"]
    report.unlink()
    return set(inputs)
