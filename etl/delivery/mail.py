"""E-mail with an issued table: the workbook attached where it is small enough, else a word on where it lies."""

from __future__ import annotations

import html
from typing import Any

from etl.alerts.mail import send_mail
from etl.alerts.message import ChannelFailed
from etl.catalog.delivery import EmailTarget
from etl.connections import Connection
from etl.delivery.parcel import DeliveryFailed, Parcel
from etl.periods import Period

ATTACHED = ".xlsx"


def send_parcel(
    target: EmailTarget, parcel: Parcel, connection: Connection, people: dict[str, str]
) -> dict[str, Any]:
    """Send to recipients, by id with their address. The message's id is the same whenever it is sent again."""
    if not people:
        raise DeliveryFailed("没有可收邮件的收件人：请在 to 或报表的 recipients 中写明", is_final=True)
    workbooks = [each for each in parcel.files if each["name"].endswith(ATTACHED)]
    is_small = sum(each["bytes"] for each in workbooks) <= target.largest_mb * 1_000_000
    message_id = f"<pls-table-{parcel.issue_id}-{target.id}@pls-statistics>"
    period = Period.parse(parcel.period).name_zh
    title = f"{parcel.title}（{parcel.division_name}，{period}，第{parcel.version}版）"
    lines = [f"{title}已报出。", ""]
    if not is_small:
        lines += [f"文件超过 {target.largest_mb} MB，未附。存放位置：{parcel.folder}", ""]
    lines += [f"{each['name']}　{each['bytes']:,} 字节　SHA-256 {each['sha256']}" for each in workbooks]
    body = "".join(f"<p>{html.escape(line)}</p>" if line else "" for line in lines)
    attached = [parcel.folder / each["name"] for each in workbooks] if is_small else []
    try:
        send_mail(list(people.values()), title, body, message_id, connection, attached)
    except ChannelFailed as error:
        raise DeliveryFailed(str(error), is_final=error.is_final) from None
    return {
        "message_id": message_id,
        "to": list(people),
        "files": workbooks if is_small else [],
        "read_back": False,
    }
