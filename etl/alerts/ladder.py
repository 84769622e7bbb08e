"""The ladder as pure functions: who is told of which units, given who is missing and who was told (domain.md 6)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from etl.catalog.alert import Delivery, Round
from etl.catalog.base import Level
from etl.catalog.models import Recipient


class Place(NamedTuple):
    """A division of the day."""

    division_id: int
    code: str
    name: str
    level: Level
    parent_id: int | None


class Missing(NamedTuple):
    """Units that owe a submission to the same platforms by the same times, and of which none has been accepted."""

    due_at: datetime
    cutoff_at: datetime
    platform_ids: tuple[int, ...]
    unit_ids: tuple[int, ...]


class Found(NamedTuple):
    """Who is to be told, and the divisions that were passed over on the way up, having no contact."""

    recipients: tuple[str, ...]
    gaps: tuple[int, ...]


@dataclass
class Told:
    """What recipients were told about a data set and day, by recipient and reason, and of what they took note."""

    told: dict[tuple[str | None, str], set[int]] = field(default_factory=lambda: defaultdict(set))
    noted: dict[str | None, set[int]] = field(default_factory=lambda: defaultdict(set))

    def is_news(self, recipient: str | None, reason: str, subject_id: int) -> bool:
        """Neither sent for this reason nor acknowledged for any."""
        known = self.told.get((recipient, reason), ())
        return subject_id not in known and subject_id not in self.noted.get(recipient, ())


@dataclass(frozen=True)
class Digest:
    """One message: a recipient (None: nobody is declared), the subjects, and the gaps it stands in for."""

    recipient: str | None
    subject_ids: tuple[int, ...]
    gap_ids: tuple[int, ...]


class Contacts:
    """Whom to tell about a division: its own recipients, else those of the nearest division above it."""

    def __init__(
        self, recipients: Mapping[str, Recipient], tree: Mapping[int, Place], delivery: Delivery
    ) -> None:
        self._tree = tree
        self._found: dict[int, Found] = {}
        self._reachable: dict[str, list[str]] = defaultdict(list)
        for each in recipients.values():
            stand_in = _reachable(each, recipients, delivery)
            if each.division is None or stand_in is None:
                continue
            if stand_in not in self._reachable[each.division]:
                self._reachable[each.division].append(stand_in)

    def of(self, division_id: int | None) -> Found:
        """Recipients of the division, or of the nearest one above that has any; none at all above the province."""
        if division_id is None or division_id not in self._tree:
            return Found((), ())
        found = self._found.get(division_id)
        if found is None:
            place = self._tree[division_id]
            own = self._reachable.get(place.code)
            if own:
                found = Found(tuple(own), ())
            else:
                above = self.of(place.parent_id)
                found = Found(above.recipients, (division_id, *above.gaps))
            self._found[division_id] = found
        return found


def _reachable(recipient: Recipient, recipients: Mapping[str, Recipient], delivery: Delivery) -> str | None:
    """The recipient, or who stands in: the first along escalates_to that has a channel (there are no circles)."""
    following: Recipient | None = recipient
    while following is not None and not following.channels(delivery.channels):
        following = recipients.get(following.escalates_to) if following.escalates_to else None
    return following.id if following else None


def digests(
    rung: Round,
    unit_ids: Iterable[int],
    tree: Mapping[int, Place],
    contacts: Contacts,
    delivery: Delivery,
    told: Told,
) -> list[Digest]:
    """One digest per recipient for a rung, of the units that are news to it; in the order of recipients."""
    subjects: dict[str | None, list[int]] = defaultdict(list)
    gaps: dict[str | None, dict[int, None]] = defaultdict(dict)
    for unit_id in unit_ids:
        found = _addressees(rung, unit_id, tree, contacts, delivery)
        if found is None:
            continue
        for recipient in found.recipients or (None,):
            if told.is_news(recipient, rung.reason, unit_id):
                subjects[recipient].append(unit_id)
                gaps[recipient].update(dict.fromkeys(found.gaps))
    return [
        Digest(recipient, tuple(ids), tuple(gaps[recipient]))
        for recipient, ids in sorted(subjects.items(), key=lambda item: item[0] or "")
    ]


def _addressees(
    rung: Round, unit_id: int, tree: Mapping[int, Place], contacts: Contacts, delivery: Delivery
) -> Found | None:
    """Whom a rung tells about a unit; None when it does not look at it: another level, or one above whom it tells."""
    unit = tree.get(unit_id)
    if unit is None or unit.level not in rung.levels:
        return None
    if rung.tell == "duty":
        return Found(delivery.duty, ()) if delivery.duty else None
    if rung.tell == "unit":
        return contacts.of(unit_id)
    depth = Level(rung.tell).depth
    if unit.level.depth < depth:
        return None
    place = unit
    while place.level.depth > depth and place.parent_id is not None:
        place = tree[place.parent_id]
    return contacts.of(place.division_id)


def operators(
    contact: str | None,
    area: Sequence[int],
    recipients: Mapping[str, Recipient],
    contacts: Contacts,
    delivery: Delivery,
) -> Found:
    """Whom to tell about a platform: its declared contact, else whoever is told about its area."""
    if contact is not None:
        reachable = _reachable(recipients[contact], recipients, delivery)
        if reachable is not None:
            return Found((reachable,), ())
    found = [contacts.of(division_id) for division_id in area]
    return Found(
        tuple(dict.fromkeys(name for each in found for name in each.recipients)),
        tuple(dict.fromkeys(gap for each in found for gap in each.gaps)),
    )
