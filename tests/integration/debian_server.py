"""A server of Debian's PostgreSQL for a test, on a socket of its own."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def debian_server(binaries: Path, settings: Mapping[str, str], roles: tuple[str, ...] = ()) -> Iterator[Path]:
    """Start it; gives the folder of its socket. Started by root, it works as Debian's user postgres. Only these two
    users of the system may enter (peer), as the one superuser; postgres also as roles, for servers that ask as such."""
    folder = Path(tempfile.mkdtemp(prefix="pls-pg-", dir="/var/tmp"))
    user = None
    if os.geteuid() == 0:
        user = "postgres"
        shutil.chown(folder, user, user)

    def run(*command: str) -> None:
        subprocess.run(command, check=True, capture_output=True, user=user, cwd=folder)

    run(
        str(binaries / "initdb"),
        "--auth=peer",
        "--username=postgres",
        "--locale=C.UTF-8",
        f"--pgdata={folder}/data",
    )
    mine = pwd.getpwuid(os.geteuid()).pw_name
    entered = [(mine, "postgres"), ("postgres", "postgres"), *(("postgres", role) for role in roles)]
    (folder / "data" / "pg_hba.conf").write_text("local all all peer map=owner\n")
    (folder / "data" / "pg_ident.conf").write_text(
        "".join(f"owner {person} {role}\n" for person, role in entered)
    )
    with (folder / "data" / "postgresql.conf").open("a") as out:
        out.writelines(f"{name} = '{value}'\n" for name, value in settings.items())
    options = f"-k {folder} -c listen_addresses=''"
    run(str(binaries / "pg_ctl"), "-w", "-D", f"{folder}/data", "-o", options, "-l", f"{folder}/log", "start")
    try:
        yield folder
    finally:
        run(str(binaries / "pg_ctl"), "-w", "-m", "immediate", "-D", f"{folder}/data", "stop")
        shutil.rmtree(folder, ignore_errors=True)
