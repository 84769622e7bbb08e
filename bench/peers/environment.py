"""Where the peers are installed: an environment of their own below var/, made anew when requirements.lock changes."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import click

HERE = Path(__file__).resolve().parent
LOCK = HERE / "requirements.lock"
FOLDER = HERE.parent.parent / "var" / "bench-peers"
INSTALL = ("-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--require-hashes")


def install_peers() -> Path:
    """The folder of the environment's programs. Raises click.ClickException when it cannot be made."""
    wanted = hashlib.sha256(LOCK.read_bytes()).hexdigest()
    programs, ready = FOLDER / "bin", FOLDER / "ready"
    if ready.exists() and ready.read_text() == wanted:
        return programs
    for command in (
        [sys.executable, "-m", "venv", "--clear", str(FOLDER)],
        [str(programs / "python"), *INSTALL, "-r", str(LOCK)],
    ):
        if subprocess.run(command, check=False).returncode != 0:
            raise click.ClickException(
                f"The peers cannot be installed from {LOCK}: is a package index in reach?"
            )
    ready.write_text(wanted)
    return programs


def peer_versions() -> list[str]:
    """Of the peers, as the lock has them."""
    pins = (line.split()[0].split("==") for line in LOCK.read_text().splitlines() if not line.startswith(" "))
    return [f"{name} {version}" for name, version in pins if name in ("dbt-core", "dbt-postgres", "polars")]
