"""Every channel against a receiver on loopback that speaks its protocol; what counts as delivered, as later, as
never."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest

from etl.alerts.mail import send_by_mail
from etl.alerts.message import ChannelFailed, Message
from etl.alerts.robots import send_by_robot
from etl.alerts.webhook import send_by_webhook
from etl.connections import Connection
from tests.alert_receivers import SECRET, TOKEN, MailServer, Receiver, http_receiver, mail_server

NOW = datetime(2026, 3, 9, 2, tzinfo=UTC)
ROBOTS = ("wecom", "dingtalk", "feishu")
MESSAGE = Message(
    7,
    "missing",
    "cutoff",
    "daily",
    date(2026, 3, 6),
    ("371302001010", "371302001011"),
    "【催报】2026年3月6日日报2个单位缺报",
    "兰山街道：\n· 第10村 <村委会>\n· 第11村",
    "https://portal.example.org/alerts/ack?token=7.x",
    NOW,
)
LONG = Message(
    **{
        **vars(MESSAGE),
        "body": "\n".join(f"· 第{n}村村民委员会（兰山街道，3713020{n:05}）" for n in range(3000)),
    }
)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with http_receiver(NOW) as made:
        yield made


@pytest.fixture
def mail() -> Iterator[MailServer]:
    with mail_server() as made:
        yield made


def robot(receiver: Receiver, token: str = TOKEN, secret: str = SECRET) -> Connection:
    return Connection("pls_robot", "http", receiver.address, password=token, extra={"secret": secret})


def mailbox(mail: MailServer, password: str = "m4il-passw0rd", **extra: object) -> Connection:
    plain = {"disable_ssl": True, "disable_tls": True, "from_email": "pls@example.org"}
    return Connection("pls_mail", "smtp", "127.0.0.1", mail.port, "pls", password, extra=plain | extra)


def failure(kind: str, message: Message, connection: Connection, moment: datetime) -> ChannelFailed:
    with pytest.raises(ChannelFailed) as failed:
        send_by_robot(kind, message, connection, moment)
    assert TOKEN not in str(failed.value)
    assert SECRET not in str(failed.value)
    return failed.value


@pytest.mark.parametrize("kind", ROBOTS)
def test_a_robot_takes_the_text_with_its_number_and_link(kind: str, receiver: Receiver) -> None:
    send_by_robot(kind, MESSAGE, robot(receiver), NOW)
    (arrived,) = receiver.received
    assert arrived[0] == kind
    assert arrived[1].splitlines() == [
        MESSAGE.subject,
        *MESSAGE.body.splitlines(),
        "编号：7",
        f"知悉确认：{MESSAGE.link}",
    ]


@pytest.mark.parametrize("kind", ROBOTS)
def test_a_text_too_long_for_a_robot_is_cut_to_what_it_takes(kind: str, receiver: Receiver) -> None:
    send_by_robot(kind, LONG, robot(receiver), NOW)
    ((_, text),) = receiver.received
    assert "内容过长" in text
    assert text.endswith(f"知悉确认：{MESSAGE.link}")


@pytest.mark.parametrize("kind", ["dingtalk", "feishu"])
def test_a_signature_under_another_secret_or_an_old_one_is_refused_for_good(
    kind: str, receiver: Receiver
) -> None:
    wrong = failure(kind, MESSAGE, robot(receiver, secret="SECother"), NOW)
    old = failure(kind, MESSAGE, robot(receiver), NOW - timedelta(hours=2))
    assert wrong.is_final
    assert old.is_final
    assert receiver.requests == 2
    assert receiver.received == []


@pytest.mark.parametrize("kind", ROBOTS)
def test_a_refusal_inside_an_answer_200_is_a_failure_and_its_words_hide_the_token(
    kind: str, receiver: Receiver
) -> None:
    failed = failure(kind, MESSAGE, robot(receiver, token="another-token-00"), NOW)
    assert failed.is_final
    assert "another-token-00" not in str(failed)
    assert receiver.received == []


@pytest.mark.parametrize(
    ("kind", "answer"),
    [
        ("wecom", b'{"errcode":45009,"errmsg":"api freq out of limit"}'),
        ("dingtalk", b'{"errcode":130101,"errmsg":"send too fast"}'),
        ("feishu", b'{"code":11232,"msg":"frequency limited"}'),
    ],
)
def test_a_robot_that_is_too_busy_is_tried_again_later(kind: str, answer: bytes, receiver: Receiver) -> None:
    receiver.answers.append((200, {}, answer))
    assert not failure(kind, MESSAGE, robot(receiver), NOW).is_final


@pytest.mark.parametrize("kind", ROBOTS)
@pytest.mark.parametrize(
    ("answer", "is_final", "retry_after"),
    [
        ((429, {"Retry-After": "90"}, b""), False, timedelta(seconds=90)),
        ((429, {"Retry-After": "999999"}, b""), False, timedelta(hours=1)),
        ((429, {"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}, b""), False, None),
        ((503, {}, b"down"), False, None),
        ((404, {}, b""), True, None),
        ((302, {"Location": "http://127.0.0.1:1/"}, b""), True, None),
        ((200, {}, b"<html>login</html>"), True, None),
        ((200, {}, b"[]"), True, None),
    ],
)
def test_answers_other_than_taken(
    kind: str,
    answer: tuple[int, dict[str, str], bytes],
    is_final: bool,
    retry_after: timedelta | None,
    receiver: Receiver,
) -> None:
    receiver.answers.append(answer)
    failed = failure(kind, MESSAGE, robot(receiver), NOW)
    assert (failed.is_final, failed.retry_after) == (is_final, retry_after)
    assert receiver.requests == 1


def test_a_robot_that_nobody_listens_for_is_tried_again_later(receiver: Receiver) -> None:
    nowhere = Connection("pls_robot", "http", "127.0.0.1", 9, password=TOKEN)
    failed = failure("wecom", MESSAGE, nowhere, NOW)
    assert not failed.is_final
    assert "无法连接" in str(failed)


def test_no_token_is_written_into_a_log(receiver: Receiver, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    for kind in ROBOTS:
        send_by_robot(kind, MESSAGE, robot(receiver), NOW)
    assert len(receiver.received) == 3
    assert TOKEN not in caplog.text
    assert SECRET not in caplog.text


def test_a_webhook_takes_json_signed_over_time_and_body(receiver: Receiver) -> None:
    send_by_webhook(f"{receiver.address}/hook", MESSAGE, SECRET, NOW)
    send_by_webhook(f"{receiver.address}/hook", MESSAGE, None, NOW)
    assert len(receiver.documents) == 2
    document = receiver.documents[0]
    assert document["alert_id"] == 7
    assert document["codes"] == list(MESSAGE.codes)
    assert document["stat_date"] == "2026-03-06"
    assert document["acknowledge"] == MESSAGE.link
    with pytest.raises(ChannelFailed) as refused:
        send_by_webhook(f"{receiver.address}/hook", MESSAGE, "another secret", NOW)
    assert str(refused.value) == "HTTP 401"


def test_apprise_reaches_what_we_do_not_speak(receiver: Receiver) -> None:
    address = receiver.address.replace("http://", "json://") + "/hook"
    send_by_robot("apprise", MESSAGE, Connection("pls_robot", "http", password=address), NOW)
    (document,) = receiver.documents
    assert document["title"] == MESSAGE.subject
    assert "第10村" in document["message"]
    receiver.answers.append((500, {}, b""))
    assert not failure("apprise", MESSAGE, Connection("pls_robot", "http", password=address), NOW).is_final
    assert failure("apprise", MESSAGE, Connection("pls_robot", "http", password="nowhere"), NOW).is_final


def test_a_mail_arrives_with_login_chinese_subject_and_a_number_that_stays(mail: MailServer) -> None:
    for _ in range(2):
        send_by_mail("street@example.org", MESSAGE, mailbox(mail))
    first, second = mail.messages
    assert mail.addressees == ["street@example.org"] * 2
    assert first["Subject"] == MESSAGE.subject
    assert first["From"] == "pls@example.org"
    assert first["Message-ID"] == second["Message-ID"] == "<pls-alert-7@pls-statistics>"
    body = first.get_body(("html",))
    assert body is not None
    html = body.get_content()
    assert "· 第10村 &lt;村委会&gt;<br>" in html
    assert "编号：7" in html


def test_a_subject_cannot_smuggle_a_header_in(mail: MailServer) -> None:
    sly = Message(**{**vars(MESSAGE), "subject": "催报\r\nBcc: everybody@example.org"})
    send_by_mail("street@example.org", sly, mailbox(mail))
    assert mail.addressees == ["street@example.org"]
    assert mail.messages[0]["Bcc"] is None


@pytest.mark.parametrize(("answer", "is_final"), [("550 no such user", True), ("451 greylisted", False)])
def test_a_mail_server_that_refuses_says_whether_for_good(
    answer: str, is_final: bool, mail: MailServer
) -> None:
    mail.refuse["street@example.org"] = f"{answer} street@example.org"
    with pytest.raises(ChannelFailed, match=answer) as failed:
        send_by_mail("street@example.org", MESSAGE, mailbox(mail))
    assert failed.value.is_final is is_final
    assert "street@example.org" not in str(failed.value)
    assert mail.messages == []


def test_a_wrong_password_is_final_and_not_shown(mail: MailServer) -> None:
    with pytest.raises(ChannelFailed, match="SMTP 535") as failed:
        send_by_mail("street@example.org", MESSAGE, mailbox(mail, password="wr0ng-passw0rd"))
    assert failed.value.is_final
    assert "wr0ng" not in str(failed.value)


def test_a_mail_server_that_does_not_answer_is_tried_again_later(mail: MailServer) -> None:
    nowhere = Connection("pls_mail", "smtp", "127.0.0.1", 9, extra=mailbox(mail).extra)
    with pytest.raises(ChannelFailed, match="无法连接") as failed:
        send_by_mail("street@example.org", MESSAGE, nowhere)
    assert not failed.value.is_final


def test_a_mail_connection_without_a_sender_is_named(mail: MailServer) -> None:
    with pytest.raises(ChannelFailed, match="pls_mail") as failed:
        send_by_mail("street@example.org", MESSAGE, mailbox(mail, from_email=None))
    assert failed.value.is_final
