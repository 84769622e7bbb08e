"""Stores: folders, SFTP servers and object stores, all written in one way and read back.

A file takes its name when it is whole; the manifest comes last. Files that lie there as issued are left alone, so that
a delivery which was broken off goes on, and one done twice changes nothing.
"""

from __future__ import annotations

import uuid
from contextlib import suppress
from typing import Any

import botocore.exceptions  # type: ignore[import-untyped, unused-ignore]
import paramiko
import s3fs  # type: ignore[import-untyped, unused-ignore]
from fsspec.implementations.local import LocalFileSystem

from etl.catalog.delivery import FolderTarget, S3Target, SftpTarget
from etl.connections import Connection
from etl.delivery.parcel import DeliveryFailed, Parcel, chunks_of, digest
from etl.sources.files import open_sftp

TIMEOUT_S = 30
REFUSALS = (
    PermissionError,
    NotADirectoryError,
    IsADirectoryError,
    FileExistsError,
    paramiko.AuthenticationException,
    paramiko.BadHostKeyException,
    botocore.exceptions.NoCredentialsError,
)
"""What will be the same the next time; whatever else goes wrong may pass."""
REFUSED_CODES = {
    "AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "NoSuchBucket", "InvalidBucketName", "403", "404",
}  # fmt: skip


def put_in_folder(target: FolderTarget, parcel: Parcel) -> dict[str, Any]:
    """Deliver into a folder, which must be there: a share that is not mounted takes nothing."""
    fs = LocalFileSystem()
    if not fs.isdir(target.path):
        raise DeliveryFailed(f"目录 {target.path} 不存在或未挂载", is_final=False)
    return _put(fs, target.path.rstrip("/"), parcel)


def put_on_sftp(target: SftpTarget, parcel: Parcel, connection: Connection) -> dict[str, Any]:
    """Deliver to an SFTP server, only to one whose host key the connection names."""
    if not connection.extra.get("host_key"):
        raise DeliveryFailed(f"连接 {connection.conn_id} 没有写明服务器的主机密钥 host_key", is_final=True)
    fs = open_sftp(connection, TIMEOUT_S)
    try:
        return _put(fs, target.path.rstrip("/"), parcel)
    finally:
        fs.client.close()


def put_in_bucket(target: S3Target, parcel: Parcel, connection: Connection) -> dict[str, Any]:
    """Deliver into a bucket. An object is there whole or not at all."""
    fs = s3fs.S3FileSystem(
        key=connection.login or None,
        secret=connection.password or None,
        endpoint_url=connection.extra.get("endpoint_url"),
        client_kwargs={"region_name": connection.extra.get("region_name", "us-east-1")},
        config_kwargs={
            "connect_timeout": TIMEOUT_S,
            "read_timeout": TIMEOUT_S,
            "retries": {"max_attempts": 1},
        },
        skip_instance_cache=True,
        use_listings_cache=False,
    )
    return _put(fs, "/".join(each for each in (target.bucket, target.prefix.strip("/")) if each), parcel)


def is_refusal(error: BaseException) -> bool:
    """Whether a store would refuse the same again."""
    if isinstance(error, botocore.exceptions.ClientError):
        return str(error.response.get("Error", {}).get("Code")) in REFUSED_CODES
    cause = error.__cause__
    return isinstance(error, REFUSALS) or (cause is not None and is_refusal(cause))


def _put(fs: Any, root: str, parcel: Parcel) -> dict[str, Any]:
    is_bucket = isinstance(fs, s3fs.S3FileSystem)
    folder = "/".join((root, *parcel.place))
    if not is_bucket:
        _make_folders(fs, root, parcel.place)
    files = []
    for each in parcel.files:
        path = f"{folder}/{each['name']}"
        wanted = {"bytes": each["bytes"], "sha256": each["sha256"]}
        if _read_back(fs, path) != wanted:
            source = str(parcel.folder / each["name"])
            if is_bucket:
                fs.put_file(source, path)
            else:
                unfinished = f"{folder}/.{uuid.uuid4().hex}"
                try:
                    fs.put_file(source, unfinished)
                    _rename(fs, unfinished, path)
                except BaseException:
                    with suppress(Exception):
                        fs.rm_file(unfinished)
                    raise
            if _read_back(fs, path) != wanted:
                raise DeliveryFailed(f"回读的 {each['name']} 与发出的不一致", is_final=False)
        files.append({"name": each["name"], **wanted})
    return {"path": folder, "files": files, "read_back": True}


def _make_folders(fs: Any, root: str, parts: tuple[str, ...]) -> None:
    path = root
    for part in parts:
        path = f"{path}/{part}"
        if not fs.isdir(path):
            with suppress(FileExistsError):
                fs.mkdir(path, create_parents=False)


def _rename(fs: Any, old: str, new: str) -> None:
    if isinstance(fs, LocalFileSystem):
        fs.mv(old, new)
    else:
        fs.ftp.posix_rename(old, new)


def _read_back(fs: Any, path: str) -> dict[str, Any] | None:
    try:
        with fs.open(path, "rb") as opened:
            return digest(chunks_of(opened))
    except FileNotFoundError:
        return None
