"""The tools that kappa is compared with and their versions, each in its own environment.

`python -m bench.peers` installs the missing ones in bench/.peers.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from kappa.errors import KappaError

FOLDER = Path(__file__).parent / ".peers"
# kappa 0.7.0 calls yaml.load() in a way that PyYAML 6 no longer allows.
PEERS = {
    "boto3": ("boto3==1.44.5",),
    "kappa-0.7.0": ("kappa==0.7.0", "PyYAML==5.3.1", "boto3==1.44.5"),
    "awscli": ("awscli==1.46.3",),
    "chalice": ("chalice==1.34.0",),
    "sam": ("aws-sam-cli==1.170.0",),
    "osls": ("osls@4.3.1",),
}
FROM_NPM = ("osls",)


def main() -> int:
    """Install the missing tools; exit code 1 if one cannot be installed."""
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / ".gitignore").write_text("*\n")
    installed = [_install(peer) for peer in _missing()]
    return 0 if all(installed) else 1


def require(*peers: str) -> None:
    """Raise KappaError, if one of the tools is not installed; by default of all."""
    if missing := [peer for peer in _missing() if peer in (peers or PEERS)]:
        raise KappaError(f"Not installed: {', '.join(missing)}.", "Run: make bench-peers")


def program(peer: str, name: str) -> Path:
    """The path of a program in a peer's environment."""
    return FOLDER / peer / ("node_modules/.bin" if peer in FROM_NPM else "bin") / name


def _missing() -> list[str]:
    return [peer for peer in PEERS if not (FOLDER / peer).exists()]


def _install(peer: str) -> bool:
    print(f"==> installing {peer}", file=sys.stderr)
    folder, installed = FOLDER / peer, False
    venv = [sys.executable, "-m", "venv", folder]
    pip = [program(peer, "python"), "-m", "pip", "install", "--quiet", "--compile", *PEERS[peer]]
    npm = ["npm", "install", "--silent", "--no-save", "--prefix", folder, *PEERS[peer]]
    try:
        commands = [npm] if peer in FROM_NPM else [venv, pip]
        installed = all(subprocess.run(command).returncode == 0 for command in commands)
    finally:
        if not installed:
            shutil.rmtree(folder, ignore_errors=True)
    return installed


if __name__ == "__main__":
    sys.exit(main())
