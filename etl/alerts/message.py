"""What is sent, and how sending fails. No secret, token or address stands in the words of a failure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from etl.sources.personal import mask

LONGEST_ERROR = 200
CUT_SHORT = "\n……（内容过长，未全部列出）"


@dataclass(frozen=True)
class Message:
    """A digest on its way to a recipient; link acknowledges it, None where no portal is set up. alert_id: its number in
    the outbox; 0 for a notice that never was there."""

    alert_id: int
    reason: str
    round: str
    dataset: str
    stat_date: date
    codes: tuple[str, ...]
    subject: str
    body: str
    link: str | None
    created_at: datetime

    def text(self, most_bytes: int) -> str:
        """Body and footer in UTF-8 of at most so many bytes; a body that is too long ends at a whole line."""
        number = f"\n编号：{self.alert_id}" if self.alert_id else ""
        footer = number + (f"\n知悉确认：{self.link}" if self.link else "")
        room = most_bytes - len(footer.encode())
        if len(self.body.encode()) <= room:
            return self.body + footer
        kept = ""
        for line in self.body.splitlines():
            longer = f"{kept}\n{line}" if kept else line
            if len((longer + CUT_SHORT).encode()) > room:
                break
            kept = longer
        return kept + CUT_SHORT + footer


class ChannelFailed(Exception):
    """A message that a channel did not deliver. is_final: the same again would fail again; the next channel is tried.

    is_down: the address takes nothing at all for now. retry_after: how long it asks us to wait.
    """

    def __init__(
        self, words: str, *, is_final: bool, is_down: bool = False, retry_after: timedelta | None = None
    ) -> None:
        super().__init__(words)
        self.is_final = is_final
        self.is_down = is_down
        self.retry_after = retry_after


def without_secrets(words: str, secrets: Iterable[str]) -> str:
    """The words on one line, short, with every secret and all personal data struck out."""
    for secret in sorted((each for each in secrets if len(each) > 3), key=len, reverse=True):
        words = words.replace(secret, "***")
    return mask(" ".join(words.split()))[:LONGEST_ERROR]
