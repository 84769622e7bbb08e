"""Delivery: what an entry of deliveries/ declares, a place that issued tables are delivered to."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from etl.catalog.base import Declared, Name, Text, each_once


def _confined(path: str) -> str:
    if ".." in PurePosixPath(path).parts:
        raise ValueError("a path without .. was expected")
    return path


def _absolute(path: str) -> str:
    if not path.startswith("/"):
        raise ValueError("a path from the root was expected, beginning with /")
    return _confined(path)


BUCKET_PATTERN = r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$"
Place = Annotated[str, AfterValidator(_absolute)]


class FolderTarget(Declared):
    """A folder of this machine or of a mounted share. path: from the root."""

    kind: Literal["folder"]
    id: Name
    path: Place


class SftpTarget(Declared):
    """A folder of an SFTP server, whose host key stands in the extra of the connection (host_key)."""

    kind: Literal["sftp"]
    id: Name
    conn_id: Name
    path: Place


class S3Target(Declared):
    """A bucket of an object store; conn_id is a connection of Airflow's type aws (login, password; extra: endpoint_url,
    region_name)."""

    kind: Literal["s3"]
    id: Name
    conn_id: Name
    bucket: Annotated[str, Field(pattern=BUCKET_PATTERN)]
    prefix: Annotated[str, AfterValidator(_confined)] = ""


class EmailTarget(Declared):
    """Recipients of an e-mail with the workbook. to: ids of recipients; left out, those of the report. A workbook of
    more than largest_mb (10^6 bytes) stays where it lies, and the mail says where."""

    kind: Literal["email"]
    id: Name
    conn_id: Name
    to: Annotated[tuple[Text, ...], AfterValidator(each_once)] = ()
    largest_mb: Annotated[int, Field(ge=1, le=100, strict=True)] = 10


DELIVERIES: tuple[type[Declared], ...] = (FolderTarget, SftpTarget, S3Target, EmailTarget)
DeliveryTarget = Annotated[FolderTarget | SftpTarget | S3Target | EmailTarget, Field(discriminator="kind")]
