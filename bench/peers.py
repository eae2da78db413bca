"""The tools that kappa is compared with and their versions, each in its own environment.

`python -m bench.peers` installs the missing ones in bench/.peers.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parent / ".peers"
# kappa 0.7.0 calls yaml.load() in a way that PyYAML 6 no longer allows.
PEERS = {
    "boto3": ("boto3==1.44.5",),
    "kappa-0.7.0": ("kappa==0.7.0", "PyYAML==5.3.1", "boto3==1.44.5"),
    "awscli": ("awscli==1.46.3",),
    "chalice": ("chalice==1.34.0",),
    "sam": ("aws-sam-cli==1.170.0",),
}
# From npm; their programs are installed as npm does, in node_modules/.bin.
NPM_PEERS = {"osls": ("osls@4.3.1",)}


def main() -> int:
    """Install the missing tools; exit code 1 if one cannot be installed."""
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / ".gitignore").write_text("*\n")
    missing = [name for name in PEERS if not program(name, "python").exists()]
    failed = [name for name in missing if not _install(name)]
    missing = [name for name in NPM_PEERS if not npm_program(name, name).exists()]
    return 1 if failed + [name for name in missing if not _install_from_npm(name)] else 0


def program(peer: str, name: str) -> Path:
    """The path of a program in a peer's environment."""
    return FOLDER / peer / "bin" / name


def npm_program(peer: str, name: str) -> Path:
    """The path of a program of a peer from npm."""
    return FOLDER / peer / "node_modules" / ".bin" / name


def _install_from_npm(peer: str) -> bool:
    print(f"==> installing {peer}", file=sys.stderr)
    command = ["npm", "install", "--silent", "--no-save", "--prefix", str(FOLDER / peer)]
    done = subprocess.run([*command, *NPM_PEERS[peer]])
    if done.returncode:
        shutil.rmtree(FOLDER / peer, ignore_errors=True)
    return done.returncode == 0


def _install(peer: str) -> bool:
    print(f"==> installing {peer}", file=sys.stderr)
    subprocess.run([sys.executable, "-m", "venv", FOLDER / peer], check=True)
    python = program(peer, "python")
    done = subprocess.run([python, "-m", "pip", "install", "--quiet", "--compile", *PEERS[peer]])
    if done.returncode:
        shutil.rmtree(FOLDER / peer)
    return done.returncode == 0


if __name__ == "__main__":
    sys.exit(main())
