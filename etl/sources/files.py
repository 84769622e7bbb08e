"""Folders of files, local, over SFTP or on any fsspec file system, for families B and C."""

from __future__ import annotations

import base64
import logging
import os
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Container, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, ClassVar, Self, TypeVar

import fsspec
import paramiko
import tenacity
from fsspec.implementations.local import LocalFileSystem
from fsspec.implementations.sftp import SFTPFileSystem

from etl.catalog import Platform
from etl.clock import SHANGHAI, Clock, utc_now
from etl.connections import Connection
from etl.sources.base import (
    Failure,
    Listing,
    Options,
    Pulled,
    PullFailed,
    Seen,
    Unreadable,
    backoff,
    plain,
    pulled_of,
    read_options,
)
from etl.sources.cells import FIRST_DAY, is_day_of_reports, read_day
from etl.sources.personal import mask

log = logging.getLogger(__name__)

T = TypeVar("T")
_LOST = (
    ConnectionError,
    TimeoutError,
    EOFError,
    paramiko.SSHException,
    paramiko.SFTPError,
    paramiko.ssh_exception.NoValidConnectionsError,
)
_TRANSIENT = (OSError, *_LOST)
_REFUSED = (
    PermissionError,
    NotADirectoryError,
    IsADirectoryError,
    paramiko.AuthenticationException,
    paramiko.BadHostKeyException,
)


STILL_WRITTEN = "仍在写入"
_LEAVES_ROOT = "符号链接指向根目录之外"
_SLOWEST = 10
"""A file may take so many times timeout_s in all, however steadily it trickles."""
_CHUNK = 1_000_000
_LAST_SECOND = 253_402_300_799
"""The end of the year 9999: a file's time may lie far beyond it."""
_MOST_NAMED = 1_000
"""So many names that are ignored are kept with their reason, the others are only counted."""


class FileOptions(Options):
    """root: an fsspec URL, or a path where the connection leads; it overrides the connection's own."""

    root: str | None = None


class _RefuseUnpinned(paramiko.MissingHostKeyPolicy):
    def missing_host_key(self, client: paramiko.SSHClient, hostname: str, key: paramiko.PKey) -> None:
        raise paramiko.BadHostKeyException(hostname, key, key)


class _AnyNames(paramiko.SFTPClient):
    """A client that lists names in any encoding (GBK, from Windows): one that is no UTF-8 must not hide the others."""

    def _request(self, *asked: Any) -> Any:
        kind, message = super()._request(*asked)  # type: ignore[misc]
        if message is not None:
            message.get_text = lambda: message.get_string().decode(errors="surrogateescape")
        return kind, message


class _PinnedSFTP(SFTPFileSystem):  # type: ignore[misc]  # fsspec has no types
    """SFTP that trusts the host key of the connection, waits only so long, and uses no key of this user."""

    cachable = False

    def __init__(self, host: str, host_key: paramiko.PKey | None, timeout_s: float, **login: Any) -> None:
        self._host_key = host_key
        self._timeout_s = timeout_s
        super().__init__(host, **login)

    def _connect(self) -> None:
        client = paramiko.SSHClient()
        if self._host_key:
            port = self.ssh_kwargs["port"]
            entry = self.host if port == 22 else f"[{self.host}]:{port}"
            client.get_host_keys().add(entry, self._host_key.get_name(), self._host_key)
            client.set_missing_host_key_policy(_RefuseUnpinned())
        else:
            log.warning("host key of %s is not pinned: set host_key in the connection's extra", self.host)
            client.set_missing_host_key_policy(paramiko.AutoAddPolicy())
        try:
            client.connect(
                self.host,
                timeout=self._timeout_s,
                banner_timeout=self._timeout_s,
                auth_timeout=self._timeout_s,
                channel_timeout=self._timeout_s,
                allow_agent=False,
                look_for_keys=False,
                **self.ssh_kwargs,
            )
            transport = client.get_transport()
            opened = _AnyNames.from_transport(transport) if transport else None
            if opened is None:
                raise paramiko.SSHException("the server opens no channel for files")
            self.ftp = opened
        except BaseException:
            client.close()
            raise
        channel = self.ftp.get_channel()
        if channel is not None:
            channel.settimeout(self._timeout_s)
        self.client = client

    def ls(self, path: str, detail: bool = False, **_: Any) -> list[Any]:
        infos = []
        for stat in self.ftp.listdir_attr(path):
            for name in ("st_mode", "st_size", "st_uid", "st_gid", "st_atime", "st_mtime"):
                if getattr(stat, name) is None:  # a server may leave any of them out
                    setattr(stat, name, 0)
            infos.append(self._decode_stat(stat, path))
        return infos if detail else sorted(info["name"] for info in infos)


@dataclass(frozen=True)
class Entry:
    """What a folder lists. ignored: why it is left alone, None for a file or a folder in the root."""

    path: str
    name: str
    size: int
    modified_at: datetime
    is_folder: bool
    ignored: str | None


class Store:
    """One platform's root. Every look is retried with backoff; PullFailed tells what could not be had.

    A server that is lost after all attempts stays lost: the files still wanted of it fail at once.
    """

    def __init__(
        self, platform: Platform, connection: Connection, options: FileOptions, first_wait_s: float
    ) -> None:
        self._platform = platform
        self._connection = connection
        self._options = options
        self._first_wait_s = first_wait_s
        self._fs: Any = None
        self._lost: Failure | None = None
        self._protocol, self._root = self._locate()
        self._transient: tuple[type[Exception], ...] = _TRANSIENT
        if self._protocol not in ("file", "sftp"):
            self._transient = (Exception,)  # object stores raise kinds of their own

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        fs, self._fs = self._fs, None
        if isinstance(fs, SFTPFileSystem):
            fs.client.close()

    def entries(self, folder: str = "") -> list[Entry]:
        """What the folder (a name below the root) holds; a folder that is not there holds nothing."""
        return self._retried(f"列出 {folder or '根目录'}", lambda fs: self._list(fs, folder))

    def days(self) -> list[date]:
        """The day folders below the root, in order."""
        days = (read_day(entry.name) for entry in self.entries() if entry.is_folder and len(entry.name) == 8)
        return sorted(day for day in days if day)

    def read(self, entry: Entry, limit: int) -> bytes:
        """The file's bytes, at most one more than the limit."""

        def action(fs: Any) -> bytes:
            data = bytearray()
            last = time.monotonic() + self._options.timeout_s * _SLOWEST
            with fs.open(entry.path, "rb") as file:
                if isinstance(fs, SFTPFileSystem) and entry.size:
                    file.prefetch(min(entry.size, limit + 1))
                while chunk := file.read(min(_CHUNK, limit + 1 - len(data))):
                    data += chunk
                    if time.monotonic() > last:
                        raise TimeoutError
            return bytes(data)

        return self._retried(f"读取 {entry.name}", action)

    def describe(self) -> str:
        """One line of what is there."""
        days = self.days()
        found = f"{len(days)} 个日期文件夹，最近一个 {days[-1]:%Y%m%d}" if days else "还没有日期文件夹"
        return f"{self._root} 可以读取，{found}"

    def _locate(self) -> tuple[str, str]:
        root, kind, extra = self._options.root, self._connection.conn_type, self._connection.extra
        over_sftp = kind in ("sftp", "ssh")
        if root and "://" in root:
            protocol, path = root.split("://", 1)
            if protocol in ("sftp", "ssh"):
                return "sftp", "/" + path.partition("/")[2]
            return protocol, root
        root = root or extra.get("root" if over_sftp else "path")
        if not root:
            where = "extra 的 root" if over_sftp else "extra 的 path"
            raise PullFailed(
                Failure(
                    "rejected",
                    f"平台 {self._platform.id} 没有根目录：请在连接 {self._connection.conn_id} 的{where}，"
                    "或声明的 options.root 中填写",
                )
            )
        return ("sftp" if over_sftp else "file"), str(root)

    def _open(self) -> Any:
        connection, extra = self._connection, self._connection.extra
        if self._protocol != "sftp":
            try:
                fs, self._root = fsspec.core.url_to_fs(
                    self._root
                    if "://" in self._root
                    else f"{self._protocol}://{Path(self._root).absolute()}",
                    **extra.get("storage_options", {}),
                )
            except (ValueError, ImportError) as error:
                raise self._failed("rejected", f"打不开 {self._root}：{error}") from None
            return fs
        if not connection.host:
            raise self._failed("rejected", f"连接 {connection.conn_id} 没有主机")
        key_file = extra.get("key_file")
        if key_file and not Path(key_file).is_file():
            raise self._failed("rejected", f"连接 {connection.conn_id} 的 key_file 不存在")
        try:
            host_key = _host_key(extra["host_key"]) if extra.get("host_key") else None
        except (ValueError, paramiko.SSHException, paramiko.pkey.UnknownKeyType):
            words = f"连接 {connection.conn_id} 的 host_key 不是“类型 公钥”，如 ssh-ed25519 AAAA…"
            raise self._failed("rejected", words) from None
        return _PinnedSFTP(
            connection.host,
            host_key=host_key,
            timeout_s=self._options.timeout_s,
            port=connection.port or 22,
            username=connection.login or None,
            password=connection.password or None,
            key_filename=key_file,
        )

    def _list(self, fs: Any, folder: str) -> list[Entry]:
        root = self._root.rstrip("/") or "/"
        path = f"{root.rstrip('/')}/{folder}" if folder else root
        fs.invalidate_cache()
        try:
            inside = _resolve(fs, root)
            if not _is_within(inside, _resolve(fs, path)):
                return [Entry(path, folder, 0, _modified_at({}), False, _LEAVES_ROOT)]
            infos = fs.ls(path, detail=True)
        except FileNotFoundError:
            # A file that went away while the folder was listed is no reason to call the folder empty.
            has_root = not isinstance(fs, (LocalFileSystem, SFTPFileSystem)) or fs.isdir(root)
            if folder and has_root and not fs.isdir(path):
                return []
            raise
        return [_entry(fs, inside, info) for info in sorted(infos, key=lambda info: str(info["name"]))]

    def _retried(self, what: str, action: Callable[[Any], T]) -> T:
        if self._lost:
            raise PullFailed(self._lost)

        def once() -> T:
            if self._fs is None:
                self._fs = self._open()
            return action(self._fs)

        retrying = tenacity.Retrying(
            stop=tenacity.stop_after_attempt(self._options.attempts),
            wait=backoff(self._first_wait_s),
            retry=tenacity.retry_if_exception(self._is_transient),
            before_sleep=lambda _: self.close(),
            reraise=True,
        )
        try:
            return retrying(once)
        except PullFailed:
            raise
        except _REFUSED as error:
            raise self._failed("rejected", f"{what} 被拒绝：{_words(error)}") from None
        except self._transient as error:
            self.close()
            words = f"{what} 失败，已尝试 {self._options.attempts} 次：{_words(error)}"
            failed = self._failed("failed", words)
            if isinstance(error, _LOST):
                self._lost = failed.failure
            raise failed from None

    def _is_transient(self, error: BaseException) -> bool:
        return isinstance(error, self._transient) and not isinstance(error, (*_REFUSED, PullFailed))

    def _failed(self, state: Any, words: str) -> PullFailed:
        secret = self._connection.password
        if secret:
            words = words.replace(secret, "***")
        return PullFailed(Failure(state, f"平台 {self._platform.id}：{mask(words)}"))


def open_sftp(connection: Connection, timeout_s: float) -> Any:
    """The files of an SFTP server (fsspec), as whoever the connection signs in. Raises ValueError for a host_key that
    is no key, and whatever paramiko raises."""
    key = connection.extra.get("host_key")
    return _PinnedSFTP(
        connection.host,
        host_key=_host_key(key) if key else None,
        timeout_s=timeout_s,
        port=connection.port or 22,
        username=connection.login or None,
        password=connection.password or None,
        key_filename=connection.extra.get("key_file"),
    )


def _host_key(text: str) -> paramiko.PKey:
    """The key in `ssh-ed25519 AAAA…`, or in its last part alone, as Airflow's connections hold it."""
    words = text.split()
    blob = base64.b64decode(words[min(1, len(words) - 1)], validate=True)
    kind = blob[4 : 4 + int.from_bytes(blob[:4], "big")].decode("ascii")
    return paramiko.PKey.from_type_string(kind, blob)


def _words(error: BaseException) -> str:
    names: tuple[tuple[type[BaseException], str], ...] = (
        (paramiko.AuthenticationException, "用户名、口令或密钥不对"),
        (paramiko.BadHostKeyException, "服务器的主机密钥不是连接中写明的那一个"),
        (PermissionError, "没有权限"),
        (FileNotFoundError, "目录或文件不存在"),
        (TimeoutError, "超时"),
        (ConnectionError, "连接不上或被中断"),
        (EOFError, "连接被中断"),
    )
    for kind, words in names:
        if isinstance(error, kind):
            return words
    return f"{type(error).__name__} {error}".strip()[:200]


def _resolve(fs: Any, path: str) -> str:
    """The path with every link followed, by whoever keeps the files; object stores have no links."""
    if isinstance(fs, LocalFileSystem):
        return os.path.realpath(path)
    if isinstance(fs, SFTPFileSystem):
        return str(fs.ftp.normalize(path))
    return path


def _is_within(root: str, path: str) -> bool:
    return path == root or path.startswith(root.rstrip("/") + "/")


def _entry(fs: Any, root: str, info: dict[str, Any]) -> Entry:
    path = str(info["name"]).rstrip("/")
    name = path.rsplit("/", 1)[-1]
    ignored = None
    if info.get("islink") or info["type"] == "link":
        try:
            real = _resolve(fs, path)
            if real == path:
                ignored = "符号链接没有可及的目标"
            elif not _is_within(root, real):
                ignored = _LEAVES_ROOT
            else:
                info = fs.info(real)
        except _LOST:
            raise
        except (OSError, UnicodeError):
            # Also what a server says that shuts its users in when a link leads outside, or of links in a circle.
            ignored = "符号链接没有可及的目标"
    if ignored is None and info["type"] not in ("file", "directory"):
        ignored = "不是普通文件"
    is_folder = ignored is None and info["type"] == "directory"
    return Entry(path, name, int(info.get("size") or 0), _modified_at(info), is_folder, ignored)


def _modified_at(info: dict[str, Any]) -> datetime:
    """The file's time (UTC): file systems call it by different names."""
    for key in ("mtime", "LastModified", "last_modified", "updated", "created"):
        moment = info.get(key)
        if isinstance(moment, (int, float)):
            return datetime.fromtimestamp(min(max(moment, 0), _LAST_SECOND), UTC)
        if isinstance(moment, datetime):
            return moment.astimezone(UTC)
    return datetime.fromtimestamp(0, UTC)


def _abridged(ignored: list[str]) -> list[str]:
    """What is ignored, as it may be stored; beyond a bound only the number."""
    named = [plain(words) for words in ignored[:_MOST_NAMED]]
    more = len(ignored) - len(named)
    return [*named, f"另有 {more:,} 个名称未列出"] if more else named


class StillWrittenError(Exception):
    """The file changed while it was read: it is left for the next pull."""


@dataclass(frozen=True)
class Delivery:
    """One file that counts, with what stands beside it and when the source received it."""

    day: date
    entry: Entry
    beside: Entry | None
    received_at: datetime
    order: tuple[str, int]


@dataclass
class FolderSource(ABC):
    """Day folders of files: the pull that families B and C share."""

    clock: Clock = utc_now
    first_wait_s: float = 0.5
    options: ClassVar[type[FileOptions]] = FileOptions

    @abstractmethod
    def settle(self, store: Store, folders: dict[date, list[Entry]], listing: Listing) -> list[Delivery]:
        """Which files count; the others are named in the listing with the reason."""

    @abstractmethod
    def fetch(self, store: Store, delivery: Delivery, options: Any) -> bytes:
        """One file's bytes, whole. Raises PullFailed with what came, StillWrittenError."""

    def pull_day(
        self, platform: Platform, connection: Connection, day: date, known: Container[Seen]
    ) -> Listing:
        return self._pull(platform, connection, known, day, None)

    def pull_since(
        self, platform: Platform, connection: Connection, since: datetime, known: Container[Seen]
    ) -> Listing:
        return self._pull(platform, connection, known, None, since)

    def check(self, platform: Platform, connection: Connection) -> str:
        try:
            options = read_options(self.options, platform)
        except Unreadable as error:
            raise PullFailed(Failure("rejected", str(error))) from None
        with Store(platform, connection, options, self.first_wait_s) as store:
            return store.describe()

    def _pull(
        self,
        platform: Platform,
        connection: Connection,
        known: Container[Seen],
        day: date | None,
        since: datetime | None,
    ) -> Listing:
        listing = Listing(())
        own_day = day or self.clock().astimezone(SHANGHAI).date()
        try:
            options = read_options(self.options, platform)
            store = Store(platform, connection, options, self.first_wait_s)
        except Unreadable as error:
            listing.pulled = [pulled_of(own_day, "", (), failure=Failure("rejected", str(error)))]
            return listing
        except PullFailed as error:
            listing.pulled = [pulled_of(own_day, "", (), failure=error.failure)]
            return listing
        try:
            days = [day] if day else store.days()
            strays = [each for each in days if not day and not is_day_of_reports(each, own_day)]
            listing.ignored += [f"{each:%Y%m%d}/：日期在未来，或早于 {FIRST_DAY.year} 年" for each in strays]
            days = [each for each in days if each not in strays]
            folders = {each: store.entries(f"{each:%Y%m%d}") for each in days}
            deliveries = [
                delivery
                for delivery in self.settle(store, folders, listing)
                if (since is None or delivery.received_at >= since)
                and (delivery.entry.name, delivery.entry.size, delivery.received_at) not in known
            ]
        except PullFailed as error:
            store.close()
            listing.pulled = [pulled_of(own_day, "", (), failure=error.failure)]
            return listing
        deliveries.sort(key=lambda delivery: (delivery.day, delivery.order))
        listing.ignored = _abridged(listing.ignored)
        listing.pulled = self._transfer(store, deliveries, options, listing)
        return listing

    def _transfer(
        self, store: Store, deliveries: Sequence[Delivery], options: FileOptions, listing: Listing
    ) -> Iterator[Pulled]:
        parts: tuple[bytes, ...]
        failure: Failure | None
        with store:
            for delivery in deliveries:
                try:
                    parts, failure = (self.fetch(store, delivery, options),), None
                except StillWrittenError:
                    listing.waiting.append(f"{delivery.entry.name}：{STILL_WRITTEN}")
                    continue
                except PullFailed as error:
                    parts, failure = error.parts, error.failure
                yield pulled_of(delivery.day, delivery.entry.name, parts, delivery.received_at, failure)
