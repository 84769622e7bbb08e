"""Infer: which divisions that appear under a new code go on with what others did, each guess with its confidence.

Evidence is a name at the same level below the same division, or where a division's children went. A name by itself is
none: 6,091 village names of Shandong occur more than once. The digits of a code are none either.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from decimal import Decimal
from typing import NamedTuple

from etl.catalog import Level
from etl.divisions.mapping import Stated

SAME_NAME, SAME_CORE, SAME_NAME_NEAR, SAME_CHILDREN, FEW_CHILDREN, NAME_PART, NAME_PARTS = (
    0.95, 0.9, 0.85, 0.95, 0.5, 0.5, 0.6,
)  # fmt: skip
MOST = 0.8
"""Share of a division's children that must have gone to one place, for it to have gone there too."""
SOME = 0.2
ENDINGS = {
    Level.COUNTY: re.compile(r"(市|区|县)$"),
    Level.TOWNSHIP: re.compile(r"(街道办事处|街道筹建处|办事处|街道|镇|乡|管区)$"),
    Level.VILLAGE: re.compile(
        r"(社区|村)?(村民委员会|村名委员会|居民委员会|村委员会|村委会|居委会|民委员会)$|(社区|村)$"
    ),
}
BESIDE_THE_NAME = re.compile(r"[东西南北前后大小上下中新老一二三四五六七八九十村庄]")
VIRTUAL_VILLAGE = re.compile(r"[45]98$")


class Division(NamedTuple):
    """A division as a list shows it; parent is a code, '' at the top."""

    name: str
    level: str
    parent: str


class Guess(NamedTuple):
    """A change that is likely, with its confidence (above 0, at most 1) and the reason for it."""

    kind: str
    from_code: str
    to_code: str
    share: Decimal
    confidence: float
    reason: str


def core_name(name: str, level: str) -> str:
    """The name without what it is: 孝里 of 孝里镇 and of 孝里街道, 西张 of 西张村委会 and of 西张村村民委员会."""
    ending = ENDINGS.get(Level(level))
    if ending is None:
        return name
    return ending.sub("", ending.sub("", name)) or name


def infer(
    old: Mapping[str, Division],
    new: Mapping[str, Division],
    stated: Iterable[Stated] = (),
    gone: Collection[str] = (),
) -> list[Guess]:
    """Guesses about divisions that are in one of the two lists only; codes that the mapping speaks of are left alone,
    and so are codes that were in force earlier (`gone`): they are themselves."""
    return _Inference(old, new, list(stated), gone).run()


class _Inference:
    def __init__(
        self,
        old: Mapping[str, Division],
        new: Mapping[str, Division],
        stated: list[Stated],
        gone: Collection[str],
    ) -> None:
        self.old, self.new = old, new
        spoken_of = {each.from_code for each in stated} | {each.to_code for each in stated} | set(gone)
        self.lost = {code: each for code, each in old.items() if code not in new and code not in spoken_of}
        self.gained = {code: each for code, each in new.items() if code not in old and code not in spoken_of}
        # Where each division of the old list stands in the new one: under its own code, or as stated, or as inferred.
        self.image = {code: code for code in old if code in new}
        self.image |= {
            each.from_code: each.to_code for each in stated if each.kind not in ("split", "removed", "added")
        }
        self.guesses: list[Guess] = []

    def run(self) -> list[Guess]:
        if not self.lost and not self.gained:
            return []
        # Twice: where the villages went says where their township went, and that tells more about the villages.
        for _ in range(2):
            for level in Level:
                self._pair_siblings(level, "the same name", lambda each: each.name, SAME_NAME)
                self._pair_siblings(
                    level,
                    "the same name but for its ending",
                    lambda each: core_name(each.name, each.level),
                    SAME_CORE,
                )
                self._pair_near(level)
            for level in (Level.TOWNSHIP, Level.COUNTY, Level.CITY):
                self._follow_children(level)
        self._propose_partings()
        self._propose_village_mergers()
        return self.guesses

    def _accept(self, kind: str, code: str, to_code: str, confidence: float, reason: str) -> None:
        self.image[code] = to_code
        del self.lost[code]
        self.gained.pop(to_code, None)
        self.guesses.append(Guess(kind, code, to_code, Decimal(1), round(confidence, 2), reason))

    # --- by name, level and parent ----------------------------------------------------------------------------

    def _pair_siblings(
        self, level: Level, words: str, key: Callable[[Division], str], confidence: float
    ) -> None:
        lost = {
            code: (key(each), self.image.get(each.parent))
            for code, each in self.lost.items()
            if each.level == level and each.parent in self.image
        }
        gained = {code: (key(each), each.parent) for code, each in self.gained.items() if each.level == level}
        for code, to_code in _pairs(lost, gained):
            was, now = self.old[code], self.new[to_code]
            self._accept(
                "recoded", code, to_code, confidence,
                f"{words} ({was.name}, {now.name}), level and parent, under another code",
            )  # fmt: skip

    def _pair_near(self, level: Level) -> None:
        """The same name below another parent of the same division above, where it is the only one of that name."""
        lost = {
            code: (each.name, self._image_above(each.parent))
            for code, each in self.lost.items()
            if each.level == level and not VIRTUAL_VILLAGE.search(code[-3:])
        }
        gained = {
            code: (each.name, self._above(self.new, each.parent))
            for code, each in self.gained.items()
            if each.level == level and not VIRTUAL_VILLAGE.search(code[-3:])
        }
        wanted = {key for key in lost.values() if key[1]} & set(gained.values())
        if not wanted:
            return
        names = {name for name, _ in wanted}
        found_before = Counter(
            (each.name, self._image_above(each.parent))
            for each in self.old.values()
            if each.level == level and each.name in names
        )
        found_after = Counter(
            (each.name, self._above(self.new, each.parent))
            for each in self.new.values()
            if each.level == level and each.name in names
        )
        for code, to_code in _pairs(lost, gained):
            key = lost[code]
            if key in wanted and found_before[key] == 1 and found_after[key] == 1:
                above = self.new[str(key[1])]
                self._accept(
                    "moved", code, to_code, SAME_NAME_NEAR,
                    f"the only {level.value} named {key[0]} in {above.name}, before below {self.old[code].parent}, "
                    f"now below {self.new[to_code].parent}",
                )  # fmt: skip

    @staticmethod
    def _above(divisions: Mapping[str, Division], code: str) -> str | None:
        return divisions[code].parent or None if code in divisions else None

    def _image_above(self, code: str) -> str | None:
        above = self._above(self.old, code)
        return self.image.get(above) if above else None

    # --- by where the children went ---------------------------------------------------------------------------

    def _children(self, parents: Collection[str]) -> dict[str, list[str]]:
        children: dict[str, list[str]] = defaultdict(list)
        for code, each in self.old.items():
            if each.parent in parents:
                children[each.parent].append(code)
        return children

    def _follow_children(self, level: Level) -> None:
        lost = {code for code, each in self.lost.items() if each.level == level}
        for code, children in sorted(self._children(lost).items()):
            went = Counter(self.new[self.image[child]].parent for child in children if child in self.image)
            if not went:
                continue
            to_code, count = went.most_common(1)[0]
            share = count / len(children)
            if share < MOST or to_code not in self.new or self.new[to_code].level != level:
                continue
            goes_on = to_code in self.gained and self._comes_from(to_code, code)
            self._accept(
                ("recoded" if self.image.get(self.old[code].parent) == self.new[to_code].parent else "moved")
                if goes_on
                else "merged",
                code,
                to_code,
                SAME_CHILDREN * share,
                f"{count} of its {len(children)} divisions went to {to_code} {self.new[to_code].name}",
            )

    def _comes_from(self, to_code: str, code: str) -> bool:
        """Whether most of a new division's children were below the old one."""
        source = {image: before for before, image in self.image.items()}
        children = [child for child, each in self.new.items() if each.parent == to_code]
        mine = sum(child in source and self.old[source[child]].parent == code for child in children)
        return mine >= MOST * len(children)

    def _propose_partings(self) -> None:
        """A division whose children went to several: proposed with shares by their number."""
        self.guesses += list(self._partings())

    def _partings(self) -> Iterator[Guess]:
        parents = {code for code, each in self.lost.items() if each.level != Level.VILLAGE}
        for code, children in sorted(self._children(parents).items()):
            went = Counter(
                to_code
                for to_code in (
                    self.new[self.image[child]].parent for child in children if child in self.image
                )
                if to_code in self.new and self.new[to_code].level == self.old[code].level
            )
            heirs = [
                (to_code, count) for to_code, count in went.most_common() if count >= SOME * len(children)
            ]
            if len(heirs) < 2:
                continue
            total = sum(count for _, count in heirs)
            shares = [round(Decimal(count) / total, 4) for _, count in heirs]
            shares[0] += 1 - sum(shares)
            for (to_code, count), share in zip(heirs, shares, strict=True):
                yield Guess(
                    "split", code, to_code, share, FEW_CHILDREN,
                    f"{count} of its {len(children)} divisions went to {to_code} {self.new[to_code].name}",
                )  # fmt: skip

    # --- villages whose names live on in that of another --------------------------------------------------------

    def _propose_village_mergers(self) -> None:
        """魏闫冯村 beside a village 闫庄 that is gone: proposed only."""
        targets: dict[str, dict[str, str]] = defaultdict(dict)
        for code, each in self.new.items():
            if each.level != Level.VILLAGE:
                continue
            was = self.old.get(code)
            if (code in self.gained) if was is None else (was.name != each.name):
                before = core_name(was.name, was.level) if was else ""
                after = core_name(each.name, each.level)
                if after != before:
                    targets[each.parent][code] = "".join(sign for sign in after if sign not in before)
        found: dict[str, str] = {}
        for code, each in self.lost.items():
            if each.level != Level.VILLAGE or VIRTUAL_VILLAGE.search(code[-3:]):
                continue
            root = BESIDE_THE_NAME.sub("", core_name(each.name, each.level))
            here = targets.get(self.image.get(each.parent, ""), {})
            heirs = [to_code for to_code, signs in here.items() if root and root in signs]
            if len(heirs) == 1:
                found[code] = heirs[0]
        together = Counter(found.values())
        for code, to_code in found.items():
            confidence = NAME_PARTS if together[to_code] > 1 else NAME_PART
            reason = (
                f"gone from beside {self.new[to_code].name}, whose name holds its own ({self.old[code].name})"
            )
            self.guesses.append(Guess("merged", code, to_code, Decimal(1), confidence, reason))


def _pairs(
    lost: Mapping[str, tuple[str, str | None]], gained: Mapping[str, tuple[str, str | None]]
) -> list[tuple[str, str]]:
    """Codes of both sides whose key occurs once on each."""
    count_lost, count_gained = Counter(lost.values()), Counter(gained.values())
    by_key = {key: code for code, key in gained.items() if count_gained[key] == 1}
    return [
        (code, by_key[key]) for code, key in sorted(lost.items()) if count_lost[key] == 1 and key in by_key
    ]
