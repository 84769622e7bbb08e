"""A county whose network the province cannot enter pushes its files to a drop; nothing is asked of the county."""

from __future__ import annotations

import asyncio
import json
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import asyncssh
import pytest

from etl.daily import run_day
from etl.site import Site, open_site
from local.stack import PROJECT
from simulator.plan import FIRST, SECOND
from simulator.simulation import Simulation
from tests.conftest import require_program
from tests.integration.test_pipeline_truth import DAY, assert_equal_to_truth, small_world

PUSH = PROJECT / "deploy" / "push" / "push.sh"


@dataclass(frozen=True)
class Drop:
    """The province's SFTP server for pushed files: a folder per user, each with a key of its own."""

    folder: Path
    port: int
    key: Path
    known: Path

    def push(self, source: Path, user: str) -> subprocess.CompletedProcess[str]:
        options = ["-P", str(self.port), "-i", str(self.key), "-o", f"UserKnownHostsFile={self.known}"]
        return subprocess.run(
            [str(PUSH), str(source), f"{user}@127.0.0.1", *options],
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture
def drop(tmp_path: Path) -> Iterator[Drop]:
    require_program("sftp", apt="openssh-client")
    folder, key = tmp_path / "drop", tmp_path / "county_key"
    folder.mkdir()
    pair, host = (asyncssh.generate_private_key("ssh-ed25519") for _ in range(2))
    pair.write_private_key(key)
    key.chmod(0o600)

    class Door(asyncssh.SSHServer):
        def public_key_auth_supported(self) -> bool:
            return True

        def validate_public_key(self, username: str, offered: asyncssh.SSHKey) -> bool:
            return (folder / username).is_dir() and offered == pair.convert_to_public()

    class Files(asyncssh.SFTPServer):
        def __init__(self, channel: asyncssh.SSHServerChannel) -> None:  # type: ignore[type-arg]
            user = channel.get_extra_info("username")
            super().__init__(channel, chroot=str(folder / user).encode())

    loop = asyncio.new_event_loop()
    serving = asyncssh.listen(
        "127.0.0.1", 0, server_factory=Door, server_host_keys=[host], sftp_factory=Files
    )
    acceptor = loop.run_until_complete(serving)
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    known = tmp_path / "known_hosts"
    port = acceptor.get_port()
    known.write_text(f"[127.0.0.1]:{port} {host.export_public_key().decode()}")
    yield Drop(folder, port, key, known)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(timeout=10)


@pytest.fixture
def pushing(
    drop: Drop,
    tmp_path: Path,
    hotline_url: str,
    open_for: Callable[[Simulation], Site],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[tuple[Site, Simulation, list[str]]]:
    """A site whose file platforms are folders of the drop, and the counties' side of it."""
    with small_world(tmp_path, hotline_url, "restated") as simulation:
        site = open_for(simulation)
        senders = [each.id for each in site.catalog.platforms.values() if each.family in ("csv", "workbook")]
        for name in senders:
            (drop.folder / name).mkdir()
            connection = {"conn_type": "file", "extra": {"path": str(drop.folder / name)}}
            conn_id = site.catalog.platforms[name].conn_id
            monkeypatch.setenv(f"AIRFLOW_CONN_{conn_id.upper()}", json.dumps(connection))
        yield open_site(), simulation, senders


def test_what_counties_push_is_read_to_the_last_figure_and_so_is_what_they_push_again(
    drop: Drop, pushing: tuple[Site, Simulation, list[str]]
) -> None:
    site, simulation, senders = pushing
    assert len(senders) == 2
    for phase in (FIRST, SECOND):
        for name in senders:
            pushed = drop.push(simulation.files_root(name), name)
            assert pushed.returncode == 0, pushed.stderr
        run_day(site, DAY, list(site.catalog.platforms))
        assert_equal_to_truth(site, simulation.truth(phase))
        simulation.advance()
    site.engine.dispose()


def test_a_push_that_is_broken_off_leaves_nothing_that_is_read_and_goes_on_later(
    drop: Drop, pushing: tuple[Site, Simulation, list[str]]
) -> None:
    site, simulation, senders = pushing
    name = next(each for each in senders if each.startswith("township"))
    day = f"{DAY:%Y%m%d}"
    (drop.folder / name / day).mkdir()
    files = sorted(path for path in (simulation.files_root(name) / day).iterdir() if path.suffix != ".sha256")
    (drop.folder / name / day / f".{files[0].name}.part").write_bytes(files[0].read_bytes()[:100])
    run_day(site, DAY, [name])
    with site.engine.connect() as conn:
        assert conn.exec_driver_sql("SELECT count(*) FROM landing.batch").scalar_one() == 0
    for each in senders:
        assert drop.push(simulation.files_root(each), each).returncode == 0
    run_day(site, DAY, list(site.catalog.platforms))
    assert_equal_to_truth(site, simulation.truth(FIRST))
    site.engine.dispose()


def test_a_county_reaches_no_folder_but_its_own(
    drop: Drop, pushing: tuple[Site, Simulation, list[str]]
) -> None:
    _, simulation, senders = pushing
    assert drop.push(simulation.files_root(senders[0]), "somebody").returncode != 0
    assert drop.push(simulation.files_root(senders[0]), senders[0]).returncode == 0
    assert list((drop.folder / senders[0]).iterdir())
    assert list((drop.folder / senders[1]).iterdir()) == []
