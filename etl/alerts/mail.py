"""E-mail by SMTP, through the hook of Airflow's smtp provider, from a task as from the command line.

The hook's settings stand in the extra of the connection, as the provider names them (from_email, disable_ssl,
disable_tls, auth_type, timeout, ssl_context). Its own repeats are off: it repeats refusals too, and the outbox
repeats what is worth it.
"""

from __future__ import annotations

import html
import json
import smtplib
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from etl.alerts.message import ChannelFailed, Message, without_secrets
from etl.connections import Connection

LONGEST_BODY = 200_000


def send_by_mail(address: str, message: Message, connection: Connection) -> None:
    """Send to one address. Raises ChannelFailed; a refusal of the server (5xx) is final."""
    text = html.escape(message.text(LONGEST_BODY)).replace("\n", "<br>\n")
    number = message.alert_id or uuid.uuid4().hex
    send_mail([address], message.subject, text, f"<pls-alert-{number}@pls-statistics>", connection)


def send_mail(
    addresses: Sequence[str],
    subject: str,
    content: str,
    message_id: str,
    connection: Connection,
    files: Sequence[Path] = (),
) -> None:
    """Send HTML, with files attached. Raises ChannelFailed; a refusal of the server (5xx) is final."""
    from airflow.providers.smtp.hooks.smtp import SmtpHook
    from airflow.sdk import Connection as AirflowConnection
    from airflow.sdk.exceptions import AirflowException

    class Hook(SmtpHook):  # type: ignore[misc, unused-ignore]
        smtp_retry_limit = 0

        @classmethod
        def get_connection(cls, conn_id: str) -> Any:
            return AirflowConnection(
                conn_id=conn_id,
                conn_type="smtp",
                host=connection.host,
                port=connection.port,
                login=connection.login,
                password=connection.password,
                extra=json.dumps(connection.extra),
            )

    secrets = [connection.password, connection.login, *addresses]
    try:
        with Hook(connection.conn_id) as hook:
            hook.send_email_smtp(
                to=list(addresses),
                subject=" ".join(subject.split()),
                html_content=f'<html lang="zh-CN"><body>{content}</body></html>',
                files=[str(file) for file in files],
                custom_headers={"Message-ID": message_id},
            )
    except smtplib.SMTPRecipientsRefused as error:
        code, said = next(iter(error.recipients.values()))
        raise _refused(code, said, secrets) from None
    except smtplib.SMTPResponseException as error:
        raise _refused(error.smtp_code, error.smtp_error, secrets) from None
    except (OSError, smtplib.SMTPException) as error:
        words = f"邮件服务器无法连接（{type(error).__name__}：{without_secrets(str(error), secrets)}）"
        raise ChannelFailed(words, is_final=False, is_down=True) from None
    except (AirflowException, RuntimeError, ValueError) as error:
        words = f"连接 {connection.conn_id} 有误：{without_secrets(str(error), secrets)}"
        raise ChannelFailed(words, is_final=True) from None


def _refused(code: int, words: bytes | str, secrets: list[str]) -> ChannelFailed:
    said = words.decode("utf-8", "replace") if isinstance(words, bytes) else words
    return ChannelFailed(f"SMTP {code} {without_secrets(said, secrets)}", is_final=code >= 500)
