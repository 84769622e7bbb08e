"""The archive, in a folder and in an object store: the same rules."""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import boto3
import fsspec
import pytest
from fsspec.implementations.local import LocalFileSystem
from moto.server import ThreadedMotoServer

from etl.archive import UNFINISHED, Archive, ArchiveError


@pytest.fixture(scope="module")
def store() -> Iterator[str]:
    """Address of a store that speaks S3."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(params=["folder", "s3"])
def url(request: pytest.FixtureRequest, store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Where an empty archive may be."""
    if request.param == "folder":
        return str(tmp_path / "archive")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "pls")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", store)
    name = f"bucket-{secrets.token_hex(4)}"
    boto3.client("s3", region_name="us-east-1").create_bucket(Bucket=name)
    return f"s3://{name}/archive"


def files(url: str) -> set[str]:
    filesystem, root = fsspec.core.url_to_fs(url, skip_instance_cache=True)
    return {path.removeprefix(root) for path in filesystem.find(root)}


def test_what_one_host_keeps_another_gets(url: str) -> None:
    sha256 = Archive(url).put([b"one", b"two"])
    assert Archive(url).get(sha256, [3, 3]) == (b"one", b"two")
    assert files(url) == {f"/{sha256[:2]}/{sha256[2:4]}/{sha256}"}


def test_the_same_bytes_are_kept_once(url: str) -> None:
    first, second = Archive(url), Archive(url)
    assert first.put([b"one", b"two"]) == second.put([b"onetwo"])
    assert len(files(url)) == 1


def test_an_object_that_another_host_dropped_is_gone_and_can_be_kept_again(url: str) -> None:
    here, there = Archive(url), Archive(url)
    sha256 = here.put([b"one"])
    there.drop(sha256)
    with pytest.raises(ArchiveError, match="is not in the archive"):
        here.get(sha256, [3])
    here.put([b"one"])
    assert there.get(sha256, [3]) == (b"one",)


def test_documents_of_every_host_are_read_in_order_of_their_names(url: str) -> None:
    first, second = Archive(url), Archive(url)
    assert first.read_documents("validations/2026-03-02") == {}
    assert first.document_folders("validations") == []
    second.write_document("validations/2026-03-02/b.json", b"2")
    first.write_document("validations/2026-03-02/a.json", b"0")
    first.write_document("validations/2026-03-02/a.json", b"1")
    first.write_document("validations/2026-03-03/a.json", b"3")
    for archive in (first, second):
        assert list(archive.read_documents("validations/2026-03-02").items()) == [
            ("a.json", b"1"),
            ("b.json", b"2"),
        ]
        assert archive.document_folders("validations") == ["2026-03-02", "2026-03-03"]
    second.drop_documents("validations/2026-03-02")
    assert first.document_folders("validations") == ["2026-03-03"]


def test_a_disk_that_is_full_is_said_and_leaves_nothing_half_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write_half(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(LocalFileSystem, "mv", write_half)
    for put in (lambda: Archive(str(tmp_path)).put([b"one"]), lambda: write_document(tmp_path)):
        with pytest.raises(OSError, match="No space left"):
            put()
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def write_document(folder: Path) -> None:
    Archive(str(folder)).write_document("validations/2026-03-02/a.json", b"1")


def test_what_a_killed_writer_has_left_is_no_object_and_goes_after_its_time(tmp_path: Path) -> None:
    archive, now = Archive(str(tmp_path)), datetime.now(UTC)
    sha256 = archive.put([b"one"])
    old, new = (tmp_path / UNFINISHED / name for name in ("old", "new"))
    for file in (old, new):
        file.write_bytes(b"half")
    os.utime(old, ((now - timedelta(days=2)).timestamp(),) * 2)
    archive.drop_unfinished(now - timedelta(days=1))
    assert [path.name for path in (tmp_path / UNFINISHED).iterdir()] == ["new"]
    assert archive.get(sha256, [3]) == (b"one",)
    Archive(str(tmp_path / "not_there")).drop_unfinished(now)
