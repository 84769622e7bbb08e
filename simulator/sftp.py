"""One SFTP server for the township and village trees (contract.md, B and C)."""

from __future__ import annotations

import asyncio
import secrets
import threading
from collections.abc import Mapping
from pathlib import Path

import asyncssh


class SftpServer:
    """Serves a folder to named users with passwords, each seeing the whole folder as /, in a thread of its own.

    host_key: the server's public key as OpenSSH writes it, so that clients can know whom they talk to.
    """

    def __init__(self, root: Path, passwords: Mapping[str, str], host: str) -> None:
        self._host = host
        self._root = root
        self._passwords = dict(passwords)
        self._key = asyncssh.generate_private_key("ssh-ed25519")
        self.host_key = " ".join(self._key.export_public_key().decode().split()[:2])
        self.port = 0
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sftp", daemon=True)

    def start(self) -> None:
        """Listen on a free port; returns once clients can connect."""
        self._thread.start()
        self._ready.wait(timeout=10)

    def stop(self) -> None:
        """Close the connections and the port."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=10)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        acceptor = self._loop.run_until_complete(self._listen())
        self.port = acceptor.get_port()
        self._ready.set()
        self._loop.run_forever()
        acceptor.close()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()

    async def _listen(self) -> asyncssh.SSHAcceptor:
        passwords, root = self._passwords, self._root

        class Door(asyncssh.SSHServer):
            def password_auth_supported(self) -> bool:
                return True

            def validate_password(self, username: str, password: str) -> bool:
                known = passwords.get(username)
                return known is not None and secrets.compare_digest(known.encode(), password.encode())

        class Files(asyncssh.SFTPServer):
            def __init__(self, channel: asyncssh.SSHServerChannel) -> None:  # type: ignore[type-arg]
                super().__init__(channel, chroot=str(root).encode())

        return await asyncssh.listen(
            self._host,
            0,
            server_factory=Door,
            server_host_keys=[self._key],
            sftp_factory=Files,
            allow_scp=False,
        )
