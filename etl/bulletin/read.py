"""Read what a bulletin speaks of from the marts: figures, each with its division, period and completeness."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy.engine import Connection, Row

from etl.bulletin.figure import BulletinError, Figure
from etl.catalog import Catalog
from etl.catalog.bulletin import Bulletin
from etl.periods import Period
from etl.rounding import exact
from etl.warehouse import run_sql

COMPARED = ("value", "value_previous", "value_last_year", "mom", "yoy")
TOTAL = "公共法律服务总量"


@dataclass(frozen=True)
class Place:
    """A division at the end of the period."""

    code: str
    name: str
    level: str


@dataclass(frozen=True)
class Facts:
    """Everything that is read, of one snapshot. Figures of several divisions are keyed by code.

    below: the divisions right below. written_at: when the warehouse last wrote what it shows of the period.
    """

    period: Period
    place: Place
    below: list[Place]
    written_at: datetime
    total: Figure | None
    trend: list[tuple[Period, Figure | None]]
    measures: dict[str, Figure]
    indicators: dict[str, Figure]
    statuses: dict[str, str | None]
    notes: dict[str, str | None]
    satisfaction: dict[str, Figure]
    survey: dict[str, Row[Any]]
    scores: dict[str, Figure]
    score_rows: dict[str, Row[Any]]
    reporting: dict[str, Figure]
    batches: Figure
    platforms_out: list[tuple[str, str, int, str]]
    quarantine: Figure
    reasons: list[tuple[str, int]]
    flags: Figure
    restated: Figure


def read_facts(
    conn: Connection, catalog: Catalog, bulletin: Bulletin, division: str, period: Period
) -> Facts:
    """Read the facts of a division and period. Raises BulletinError where there is no such division or the period was
    not computed yet."""
    where = {"division": division, "day": period.ends_on}
    places = [
        Place(row.division_code, row.division_name, row.level)
        for row in run_sql(conn, "bulletin/place", where)
    ]
    if not places or places[0].code != division:
        raise BulletinError(f"No division {division} is known on {period.ends_on}: name another one.")
    if places[0].level not in bulletin.offices:
        raise BulletinError(
            f"{places[0].name} ({division}) is a {places[0].level}; bulletins are for {', '.join(bulletin.offices)}."
        )
    state = run_sql(conn, "bulletin/state", {"period": period.name}).one_or_none()
    if state is None or state.totalled_at is None or state.indicated_at is None:
        raise BulletinError(
            f"{period.name} is not computed. Run: python -m etl indicators --period {period.name}"
        )
    reader = _Reader(conn, catalog, bulletin, period, places[0], places[1:])
    return reader.read(state.written_at)


class _Reader:
    def __init__(
        self,
        conn: Connection,
        catalog: Catalog,
        bulletin: Bulletin,
        period: Period,
        place: Place,
        below: list[Place],
    ) -> None:
        self.conn, self.catalog, self.bulletin = conn, catalog, bulletin
        self.period, self.place, self.below = period, place, below
        self.names = {each.code: each.name for each in (place, *below)}
        self.codes = [each.code for each in below]

    def read(self, written_at: datetime) -> Facts:
        self.reporting = self._reporting()
        months = self._months()
        satisfaction, survey = self._satisfaction()
        scores, score_rows = self._scores()
        indicators, rows = self._indicators()
        batches, platforms_out = self._batches()
        quarantine, reasons = self._quarantine()
        return Facts(
            period=self.period,
            place=self.place,
            below=self.below,
            written_at=written_at,
            total=self._total(),
            trend=self._trend(months),
            measures=self._measures(),
            indicators=indicators,
            statuses={code: row.status for code, row in rows.items()},
            notes={code: row.note_zh for code, row in rows.items()},
            satisfaction=satisfaction,
            survey=survey,
            scores=scores,
            score_rows=score_rows,
            reporting=self.reporting,
            batches=batches,
            platforms_out=platforms_out,
            quarantine=quarantine,
            reasons=reasons,
            flags=self._flags(),
            restated=self._restated(),
        )

    def _months(self) -> list[Period]:
        months = [Period.around("month", self.period.ends_on)]
        while len(months) < self.bulletin.trend_months:
            months.insert(0, months[0].previous())
        return months

    def _run(self, name: str, **params: Any) -> Sequence[Row[Any]]:
        return run_sql(self.conn, f"bulletin/{name}", params).all()

    def _figure(
        self, view: str, code: str, name: str, unit: str, columns: Mapping[str, Any], **more: Any
    ) -> Figure:
        division = more.pop("division", self.place.code)
        plain = {key: _plain(value) for key, value in columns.items()}
        keys = {"period": self.period.name} | more
        return Figure(
            view, division, self.names[division], code=code, name=name, unit=unit, columns=plain, **keys
        )

    def _reporting(self) -> dict[str, Figure]:
        found = self._run("reporting", period=self.period.name, divisions=[self.place.code, *self.codes])
        return {
            row.division_code: self._figure(
                "mart.reporting_rate",
                "daily",
                "日报数据报送情况",
                "%",
                {
                    "value": row.on_time_rate,
                    "reporting_rate": row.reporting_rate,
                    "expected": row.expected,
                    "received": row.received,
                    "on_time": row.on_time,
                    "late": row.late,
                    "late_after_cutoff": row.late_after_cutoff,
                    "missing": row.missing,
                    "rejected": row.rejected,
                    "not_on_time": row.expected - row.on_time,
                    "not_on_time_rate": 1 - row.on_time_rate,
                },
                division=row.division_code,
                expected=row.expected,
                received=row.received,
            )
            for row in found
        }

    def _measures(self) -> dict[str, Figure]:
        found = self._run(
            "statistics",
            period=self.period.name,
            level=self.place.level,
            division=self.place.code,
            measures=list(self.bulletin.measures),
        )
        figures = {
            row.code: self._figure(
                "mart.period_statistics",
                row.code,
                row.name,
                row.unit,
                {name: getattr(row, name) for name in (*COMPARED, "ytd")},
                expected=row.expected,
                received=row.received,
                is_provisional=row.is_provisional,
            )
            for row in found
        }
        return {code: figures[code] for code in self.bulletin.measures if code in figures}

    def _total(self) -> Figure | None:
        """All services delivered: the denominator of the channels' shares, beside that of the periods before."""
        periods = {
            name: each.name
            for name, each in (
                ("value", self.period),
                ("value_previous", self.period.previous()),
                ("value_last_year", self.period.last_year()),
            )
        }
        months = [month.name for month in self.period.to_date()[0].months()]
        rows = self._denominators([*periods.values(), *months])
        now = rows.get(self.period.name)
        if now is None:
            return None
        columns: dict[str, Any] = {
            name: rows[period].denominator if period in rows else None for name, period in periods.items()
        }
        for change, base in (("mom", "value_previous"), ("yoy", "value_last_year")):
            before = rows.get(periods[base])
            is_comparable = (
                columns["value"] is not None
                and columns[base]
                and before is not None
                and not now.is_provisional
                and not before.is_provisional
            )
            columns[change] = columns["value"] / columns[base] - 1 if is_comparable else None
        told = [rows[month].denominator for month in months if month in rows]
        columns["ytd"] = sum(told) if len(told) == len(months) and None not in told else None
        return self._total_figure(self.period.name, now, columns)

    def _denominators(self, periods: list[str]) -> dict[str, Row[Any]]:
        found = self._run(
            "indicators", periods=periods, divisions=[self.place.code], indicators=[self.bulletin.total]
        )
        return {row.period: row for row in found}

    def _total_figure(self, period: str, row: Row[Any], columns: Mapping[str, Any]) -> Figure:
        return self._figure(
            "mart.indicator_value",
            f"{self.bulletin.total}.denominator",
            TOTAL,
            "件次",
            {**columns, "completeness": row.completeness},
            period=period,
            is_provisional=row.is_provisional,
        )

    def _trend(self, months: list[Period]) -> list[tuple[Period, Figure | None]]:
        rows = self._denominators([month.name for month in months])
        return [
            (
                month,
                self._total_figure(month.name, rows[month.name], {"value": rows[month.name].denominator})
                if month.name in rows and rows[month.name].denominator is not None
                else None,
            )
            for month in months
        ]

    def _indicators(self) -> tuple[dict[str, Figure], dict[str, Row[Any]]]:
        wanted = {*self.bulletin.shares, *self.bulletin.rates, "services_per_10000", "on_time_reporting_rate"}
        wanted |= {
            each.code for each in self.catalog.indicators.values() if each.source.key == self.bulletin.targets
        }
        found = self._run(
            "indicators", periods=[self.period.name], divisions=[self.place.code], indicators=sorted(wanted)
        )
        rows = {row.code: row for row in found}
        names = (*COMPARED, "numerator", "denominator", "target", "attainment", "gap", "completeness")
        figures = {
            code: self._figure(
                "mart.indicator_value",
                code,
                row.name,
                row.unit,
                {name: getattr(row, name) for name in names},
                is_provisional=row.is_provisional,
            )
            for code, row in rows.items()
        }
        return figures, rows

    def _satisfaction(self) -> tuple[dict[str, Figure], dict[str, Row[Any]]]:
        periods = [self.period.name, self.period.previous().name, self.period.last_year().name]
        found = self._run("satisfaction", periods=periods, divisions=[self.place.code, *self.codes])
        by_period = {(row.division_code, row.period): row for row in found}
        figures, rows = {}, {}
        for row in found:
            if row.period != self.period.name:
                continue
            rows[row.division_code] = row
            columns = {
                name: getattr(row, name)
                for name in (
                    "asked", "answered", "response_rate", "rate_low", "rate_high", "strict_rate",
                    "satisfied_share", "answered_share", "rank_low", "rank_high",
                )
            }  # fmt: skip
            columns["value"] = row.rate
            for change, base, period in (
                ("mom", "value_previous", periods[1]),
                ("yoy", "value_last_year", periods[2]),
            ):
                before = by_period.get((row.division_code, period))
                columns[base] = before.rate if before is not None else None
                is_comparable = (
                    row.rate is not None
                    and columns[base] is not None
                    and before is not None
                    and row.enough
                    and before.enough
                    and not row.is_provisional
                    and not before.is_provisional
                )
                columns[change] = exact(row.rate) - exact(columns[base]) if is_comparable else None
            mine = self.reporting.get(row.division_code)
            figures[row.division_code] = self._figure(
                "mart.satisfaction",
                "rate",
                "满意率",
                "%",
                columns,
                division=row.division_code,
                expected=mine.expected if mine else None,
                received=mine.received if mine else None,
                is_provisional=row.is_provisional,
            )
        return figures, rows

    def _scores(self) -> tuple[dict[str, Figure], dict[str, Row[Any]]]:
        where = {"period": self.period.name, "codes": self.codes}
        rows = run_sql(self.conn, "report/evaluation_of", where).all()
        found = [row for row in rows if row.scheme == self.bulletin.scheme]
        figures = {}
        for row in found:
            mine = self.reporting.get(row.division_code)
            figures[row.division_code] = self._figure(
                "mart.evaluation",
                self.bulletin.scheme,
                "评价得分",
                "分",
                {
                    "value": row.score,
                    "rank_in_parent": row.rank_in_parent,
                    "items_missing": row.items_missing,
                },
                division=row.division_code,
                expected=mine.expected if mine else None,
                received=mine.received if mine else None,
                is_provisional=row.is_provisional,
            )
        return figures, {row.division_code: row for row in found}

    # --- exceptions -------------------------------------------------------------------------------------------

    @property
    def _days(self) -> dict[str, Any]:
        return {"first": self.period.starts_on, "last": self.period.ends_on}

    def _platforms(self) -> tuple[list[str], list[str]]:
        """Platforms that report for the division or for a part of it; those that report for nothing else."""
        covered = set(self._subtree)
        own, touching = [], []
        for name, platform in self.catalog.platforms.items():
            if covered.issuperset(platform.area):
                own.append(name)
            if covered.intersection(platform.area) or self._lies_in(platform.area):
                touching.append(name)
        return touching, own

    def _lies_in(self, area: Sequence[str]) -> bool:
        return any(self.place.code in self._codes_below(code) for code in area)

    def _codes_below(self, division: str) -> list[str]:
        where = {"division": division, "day": self.period.ends_on}
        return list(run_sql(self.conn, "bulletin/below", where).scalars())

    @property
    def _subtree(self) -> list[str]:
        if not hasattr(self, "_kept_subtree"):
            self._kept_subtree = self._codes_below(self.place.code)
        return self._kept_subtree

    def _batches(self) -> tuple[Figure, list[tuple[str, str, int, str]]]:
        rows = self._run("batches", platforms=self._platforms()[0], **self._days)
        sums = {
            state: sum(row.batches for row in rows if row.state == state)
            for state in ("loaded", "failed", "rejected")
        }
        columns = {"value": sum(sums.values())} | sums
        out = [(row.platform, row.state, row.batches, row.example) for row in rows if row.state != "loaded"]
        return self._figure("mart.ledger", "batch", "数据批次", "批", columns), out

    def _quarantine(self) -> tuple[Figure, list[tuple[str, int]]]:
        rows = self._run("quarantine", codes=self._subtree, own_platforms=self._platforms()[1], **self._days)
        sums = {
            state: sum(row.held_rows for row in rows if row.state == state)
            for state in ("held", "released", "discarded")
        }
        reasons: dict[str, int] = {}
        for row in rows:
            reasons[row.reason_code] = reasons.get(row.reason_code, 0) + row.held_rows
        columns = {"value": sum(sums.values())} | sums
        ordered = sorted(reasons.items(), key=lambda each: (-each[1], each[0]))
        return self._figure("quality.quarantine", "row", "隔离数据", "行", columns), ordered

    def _flags(self) -> Figure:
        rows = {row.state: row.flags for row in self._run("flags", codes=self._subtree, **self._days)}
        sums = {state: rows.get(state, 0) for state in ("open", "explained", "closed")}
        return self._figure("quality.flag", "flag", "核实性疑问", "条", {"value": sum(sums.values())} | sums)

    def _restated(self) -> Figure:
        row = self._run("restated", codes=self._subtree, **self._days)[0]
        columns = {"value": row.restated, "restated_after": row.restated_after}
        return self._figure("core.submission", "restated", "更正报送", "份", columns)


def _plain(value: Any) -> Decimal | int | None:
    return value if value is None or isinstance(value, int) else exact(value)


def usual_division(conn: Connection, period: Period) -> str:
    """The province, or the only city that reports in it. Raises BulletinError where nobody does."""
    found = run_sql(conn, "bulletin/reporting_divisions", {"period": period.name}).all()
    if not found:
        raise BulletinError(
            f"{period.name} is not computed. Run: python -m etl indicators --period {period.name}"
        )
    cities = [row for row in found if row.level == "city"]
    is_alone = len(cities) == 1 and cities[0].expected == max(row.expected for row in found)
    return str(cities[0].division_code if is_alone else found[0].division_code)
