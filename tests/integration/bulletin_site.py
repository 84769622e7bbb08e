"""A small Linyi with fifteen months of figures, written straight into the tables that the roll-ups fill: thirteen
counties, each with one township and two villages."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import sqlalchemy as sa

from etl.catalog.scheme_indicators import known_indicators
from etl.evaluation import evaluate
from etl.indicators import compute_indicators
from etl.periods import Period
from etl.satisfaction import compute_satisfaction
from etl.settings import DIVISIONS_FILE
from etl.warehouse import ServerAddress, copy_csv
from tests.integration.divisions_site import divisions_site
from tests.integration.indicator_site import Facts, IndicatorSite

PROVINCE, CITY = "370000000000", "371300000000"
SMALL_SAMPLE, HIDDEN_SAMPLE, LATE_COUNTY = "371328000000", "371371000000", "371324000000"
"""A county with 18 answers in the month, one with 3, and one in which many are late."""
MONTHS = [Period.parse(f"{year}-{month:02}") for year, month in
          [(2025, month) for month in range(1, 13)] + [(2026, month) for month in (1, 2, 3)]]  # fmt: skip
SHOWN, QUARTER = Period.parse("2026-03"), Period.parse("2026Q1")
BESIDE = ("2026-02", "2025-03")
VOLUMES = {
    "consultation": 900, "publicity_event": 40, "publicity_audience": 3000, "document_drafted": 60,
    "advice_to_government": 6, "advice_to_village": 12, "dispute_found": 150, "mediation_accepted": 120,
    "mediation_settled": 112, "mediation_performed": 100, "legal_aid_application": 40, "legal_aid_accepted": 30,
    "legal_aid_by_lawyer": 26, "legal_aid_closed": 25, "defence_notified": 12, "defence_assigned": 12,
    "undefended_suspect": 20, "duty_lawyer_help": 19, "trial_case": 30, "trial_case_defended": 29,
    "notary_consultation": 80, "notary_case": 45, "forensic_case": 25, "arbitration_case": 3,
    "grassroots_service": 30, "lawyer_case": 140, "hotline_call": 300, "hotline_answered": 285,
    "online_request": 60, "online_completed": 57, "workorder_received": 90, "workorder_completed": 85,
    "workorder_on_time": 82, "complaint_received": 4, "complaint_resolved": 4,
}  # fmt: skip
"""Of a middling county's own unit in a month, over its channels."""
CHANNEL_SHARES = {"physical": 0.62, "hotline": 0.27, "network": 0.11}
SEASON = [1.02, 0.82, 1.05, 1.0, 1.03, 0.98, 0.95, 0.96, 1.04, 0.94, 1.06, 1.1]


def divisions() -> str:
    """Lines of the real list: the city, its counties, the first township of each and its first two villages."""
    rows = pd.read_csv(DIVISIONS_FILE, dtype="str")
    chosen = [PROVINCE, CITY, *rows.loc[rows["parent_code"] == CITY, "code"]]
    for county in chosen[2:]:
        town = rows.loc[rows["parent_code"] == county, "code"].iloc[0]
        chosen += [town, *rows.loc[rows["parent_code"] == town, "code"].iloc[:2]]
    kept = rows[rows["code"].isin(chosen)].fillna("")
    return "\n".join(",".join(row) for row in kept[["code", "name", "level", "parent_code"]].to_numpy())


class BulletinSite(IndicatorSite):
    """What the bulletins' tests read."""

    def fill(self, reported: Mapping[str, float] | None = None) -> None:
        """Write all months, and what is computed of those shown. reported: share of a month's submissions that came
        in, where it is not the usual."""
        tree = self.tree(SHOWN.ends_on)
        for period in MONTHS:
            self._write_totals(period, tree.level, tree.parent, (reported or {}).get(period.name))
        self._write_sum(SHOWN.to_date()[0], MONTHS[-3:])
        self._write_sum(QUARTER, MONTHS[-3:])
        for name in (SHOWN.name, *BESIDE):
            facts = self._stocks(name)
            with self.engine.begin() as conn:
                ids = dict(
                    conn.execute(sa.text("SELECT division_code, division_id FROM core.division")).all()
                )
                self._put_stocks(conn, Period.parse(name).ends_on, facts, self.tree(SHOWN.ends_on), ids)
        for period in (*MONTHS, QUARTER):
            compute_indicators(self.engine, self.site.catalog, period)
        for name in (*BESIDE, SHOWN.name):
            compute_satisfaction(self.engine, self.site.catalog, Period.parse(name))
        compute_satisfaction(self.engine, self.site.catalog, QUARTER)
        for period in (SHOWN, QUARTER):
            evaluate(self.engine, self.site.catalog, period, known_indicators(self.site.catalog.indicators))

    def _write_totals(
        self,
        period: Period,
        levels: Mapping[str, str],
        parents: Mapping[str, str | None],
        share: float | None,
    ) -> None:
        cells, catalog = self.site.cells, self.site.catalog
        rng = np.random.default_rng(period.starts_on.toordinal())
        growth = 1 + 0.005 * MONTHS.index(period)
        own: dict[str, dict[int, int]] = {}
        reports: dict[str, tuple[int, int, int, int]] = {}
        counties = [code for code, level in levels.items() if level == "county"]
        for code, level in levels.items():
            if level == "province":
                continue
            size = {"city": 0.4, "county": 1.0, "township": 0.3, "village": 0.08}[level]
            if level == "county":
                size *= 0.6 + 0.1 * (counties.index(code) % 9)
            expected = period.days if level in ("city", "county") else 22
            is_late = code[:6] == LATE_COUNTY[:6] and period == SHOWN
            received = int(rng.binomial(expected, share or (0.95 if is_late else 0.992)))
            on_time = int(rng.binomial(received, 0.8 if is_late else 0.96))
            reports[code] = expected, received, on_time, (received - on_time) // 2
            own[code] = {}
            for measure, usual in VOLUMES.items():
                known = catalog.measures[measure]
                if level not in known.levels:
                    continue
                for channel in known.channels:
                    part = CHANNEL_SHARES[channel] / sum(CHANNEL_SHARES[each] for each in known.channels)
                    mean = usual * size * part * growth * SEASON[period.starts_on.month - 1]
                    own[code][cells[measure, channel]] = int(rng.poisson(mean))
            for part, whole in (
                ("defence_assigned", "defence_notified"), ("duty_lawyer_help", "undefended_suspect"),
                ("trial_case_defended", "trial_case"), ("hotline_answered", "hotline_call"),
                ("online_completed", "online_request"), ("complaint_resolved", "complaint_received"),
                ("workorder_completed", "workorder_received"), ("workorder_on_time", "workorder_completed"),
                ("mediation_settled", "mediation_accepted"),
            ):  # fmt: skip
                for channel in catalog.measures[part].channels:
                    if cells[part, channel] in own[code]:
                        most = own[code][cells[whole, channel]]
                        own[code][cells[part, channel]] = int(
                            rng.binomial(most, VOLUMES[part] / VOLUMES[whole])
                        )
            if level == "county":
                own[code] |= self._survey(code, period, rng)
        self._copy(period, own, reports, levels, parents)

    def _survey(self, code: str, period: Period, rng: np.random.Generator) -> dict[int, int]:
        asked = {SMALL_SAMPLE: 25, HIDDEN_SAMPLE: 4}.get(code, int(rng.integers(90, 260)))
        answered = {SMALL_SAMPLE: 18, HIDDEN_SAMPLE: 3}.get(code, int(asked * rng.uniform(0.5, 0.8)))
        good = 0.9 + 0.09 * ((int(code[4:6]) * 7) % 10) / 10
        odds = [good * 0.55, good * 0.3, good * 0.15, (1 - good) * 0.8, (1 - good) * 0.2]
        answers = rng.multinomial(answered, odds)
        names = ("very_satisfied", "satisfied", "basically_satisfied", "dissatisfied", "very_dissatisfied")
        counts = dict(zip(names, answers.tolist(), strict=True))
        counts |= {"survey_asked": asked, "survey_answered": answered}
        counts |= {"aware": int(answered * 0.8), "first_choice": int(answered * 0.6)}
        counts |= {"answered_on_aware": answered, "answered_on_first_choice": answered}
        cells = self.site.cells
        return {
            cells[name, "physical"]: count for name, count in counts.items() if (name, "physical") in cells
        }

    def _copy(
        self,
        period: Period,
        own: Mapping[str, Mapping[int, int]],
        reports: Mapping[str, tuple[int, int, int, int]],
        levels: Mapping[str, str],
        parents: Mapping[str, str | None],
    ) -> None:
        all_cell = {}
        for (measure, channel), number in self.site.cells.items():
            all_cell[number] = self.site.cells[measure, "all"]
            assert channel
        inner = {parent for parent in parents.values() if parent}
        totals: dict[str, dict[int, int]] = defaultdict(lambda: defaultdict(int))
        whole: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
        for code in levels:
            at: str | None = code
            while at is not None:
                whole[at] = [a + b for a, b in zip(whole[at], reports.get(code, (0, 0, 0, 0)), strict=True)]
                for number, value in own.get(code, {}).items():
                    if at in inner:
                        totals[at][number] += value
                        totals[at][all_cell[number]] += value
                at = parents[at]
        with self.engine.begin() as conn:
            ids = dict(conn.execute(sa.text("SELECT division_code, division_id FROM core.division")).all())
            number = self._period(conn, period)
            for table, figures in (("period_own", own), ("period_total", totals)):
                lines = [
                    f"{number},{ids[code]},{cell},{value}"
                    for code, values in figures.items()
                    for cell, value in values.items()
                ]
                columns = [
                    "period_id",
                    "unit_id" if table == "period_own" else "division_id",
                    "cell_id",
                    "value",
                ]
                copy_csv(conn, f"mart.{table}", columns, "\n".join(lines).encode())
            lines = [
                f"{number},{ids[code]},{period.ends_on},{code not in inner},{period.days},{e},{r},{o},{late},{r},0,"
                f"{0},{r},{period.ends_on}T10:00:00+08:00"
                for code, (e, r, o, late) in whole.items()
            ]
            columns = [
                "period_id", "division_id", "last_day", "is_leaf", "days_known", "expected", "received", "on_time",
                "late", "reported", "nil_levels", "rejected", "own_reported", "cutoff_at",
            ]  # fmt: skip
            copy_csv(conn, "mart.period_reporting", columns, "\n".join(lines).encode())
            conn.execute(
                sa.text(
                    "INSERT INTO mart.daily_rollup (stat_date, loaded_at, rolled_up_at)"
                    " SELECT day::date, now(), now() FROM generate_series(CAST(:f AS date), :l, '1 day') AS day"
                ),
                {"f": period.starts_on, "l": period.ends_on},
            )

    @staticmethod
    def _period(conn: sa.Connection, period: Period) -> int:
        number = conn.execute(
            sa.text("SELECT mart.ensure_period(:n, :k, :f, :l)"),
            {"n": period.name, "k": period.kind, "f": period.starts_on, "l": period.ends_on},
        ).scalar_one()
        conn.execute(
            sa.text(
                "UPDATE mart.period SET totalled_at = now(), days_known = :days WHERE period_id = :number"
            ),
            {"days": period.days, "number": number},
        )
        return int(number)

    def _write_sum(self, period: Period, months: list[Period]) -> None:
        """A longer period, as the sum of its months."""
        names = [month.name for month in months]
        with self.engine.begin() as conn:
            number = self._period(conn, period)
            for table, key in (("period_own", "unit_id"), ("period_total", "division_id")):
                conn.execute(
                    sa.text(
                        f"INSERT INTO mart.{table} SELECT {number}, {key}, cell_id, sum(value) FROM mart.{table}"
                        " JOIN mart.period USING (period_id) WHERE period = ANY(:names) GROUP BY 2, 3"
                    ),
                    {"names": names},
                )
            conn.execute(
                sa.text(
                    "INSERT INTO mart.period_reporting"
                    f" SELECT {number}, division_id, max(last_day), bool_and(is_leaf), "
                    " sum(period_reporting.days_known),"
                    " sum(expected),"
                    " sum(received), sum(on_time), sum(late), sum(reported), 0, 0, sum(own_reported), max(cutoff_at)"
                    " FROM mart.period_reporting JOIN mart.period USING (period_id) WHERE period = ANY(:names)"
                    " GROUP BY division_id"
                ),
                {"names": names},
            )

    def _stocks(self, name: str) -> Facts:
        """Month-end levels: everything built but in one county, some people short of the plan."""
        tree, facts = self.tree(SHOWN.ends_on), Facts()
        rng = np.random.default_rng(7)
        usual = {
            "population": 62_000, "lawyer": 30, "notary": 2, "forensic_examiner": 2, "arbitrator": 3,
            "mediator": 60, "mediator_full_time": 8, "online_item": 60, "online_item_enabled": 58,
            "judicial_office_staff": 40, "judicial_office_purchased_staff": 13, "law_savvy_person": 3,
            "rule_of_law_leader": 1, "forensic_institution": 4, "forensic_institution_standardised": 1,
        }  # fmt: skip
        for code, level in tree.level.items():
            if level == "province":
                continue
            stocks = {}
            for measure, known in self.site.catalog.measures.items():
                if known.kind == "stock" and level in known.levels and not measure.startswith("pretraining"):
                    value = usual.get(measure, 1)
                    stocks[measure] = value if value < 10 else int(value * rng.uniform(0.9, 1.1))
            if code == LATE_COUNTY:
                stocks |= {"hotline_247": 0, "legal_aid_in_budget": 0}
            facts.stocks[code] = stocks
        assert name
        return facts

    def trouble(self) -> None:
        """What goes wrong in a month: a failed and a rejected batch, held rows, flags, a submission corrected late."""
        with self.engine.begin() as conn:
            conn.execute(sa.text("SELECT core.ensure_month(:day)"), {"day": date(2026, 3, 9)})
            platform = conn.execute(sa.text("SELECT platform_id FROM core.platform")).scalar_one()
            batch = sa.text(
                "INSERT INTO landing.batch (platform_id, dataset, stat_date, source_name, sha256, pulled_at, state,"
                " message, rows_received, rows_loaded, rows_quarantined) VALUES (:p, 'daily', :day, :name, :sha, now(),"
                " :state, :message, :r, :l, :q) RETURNING batch_id"
            )
            made = []
            for number, (state, message, counts) in enumerate(
                [("loaded", "", (40, 36, 4)), ("loaded", "", (30, 30, 0)),
                 ("failed", "连接超时 <b>timeout</b>", (0, 0, 0)), ("rejected", "文件无法读取", (0, 0, 0))]
            ):  # fmt: skip
                params = {
                    "p": platform,
                    "day": date(2026, 3, 9),
                    "name": f"file{number}",
                    "sha": f"{number}" * 64,
                }
                params |= {"state": state, "message": message}
                params |= dict(zip("rlq", counts, strict=True))
                made.append(conn.execute(batch, params).scalar_one())
            for number, (code, reason, state) in enumerate(
                [("value", "数值超出上限", "held"), ("value", "数值超出上限", "held"),
                 ("balance", "合计不符", "released"), ("unit_unknown", "单位不存在", "held")]
            ):  # fmt: skip
                unit = "999999999999" if code == "unit_unknown" else "371302000000"
                conn.execute(
                    sa.text(
                        "INSERT INTO quality.quarantine (batch_id, row_number, place, unit_code, stat_date,"
                        " reason_code, reason, reason_en, raw, state)"
                        " VALUES (:b, :n, 'x', :unit, '2026-03-09', :code, :reason, 'x',"
                        " '{}', :state)"
                    ),
                    {"b": made[0], "n": number, "unit": unit, "code": code, "reason": reason, "state": state},
                )
            for number, state in enumerate(("open", "open", "closed")):
                conn.execute(
                    sa.text(
                        "INSERT INTO quality.flag (batch_id, unit_code, stat_date, check_code, message, state)"
                        " VALUES (:b, '371311000000', '2026-03-09', 'performed_at_most_settled', :m, :state)"
                    ),
                    {"b": made[0], "m": f"履行数大于成功数（{number}）",
                     "state": state},
                )  # fmt: skip
            unit = conn.execute(
                sa.text("SELECT division_id FROM core.division WHERE division_code = '371302000000'")
            ).scalar_one()
            times = ["2026-03-09T09:00:00Z", "2026-04-03T02:00:00Z", "infinity"]
            for revision in (1, 2):
                conn.execute(
                    sa.text(
                        "INSERT INTO core.submission (stat_date, unit_id, platform_id, batch_id, dataset, revision,"
                        " received_at, known_from, known_to, is_nil, cells, figures, row_numbers) VALUES ('2026-03-09',"
                        " :unit, :p, :b, 'daily', :revision, :at, :at, :until, true, NULL, NULL, NULL)"
                    ),
                    {"unit": unit, "p": platform, "b": made[0], "revision": revision, "at": times[revision - 1],
                     "until": times[revision]},
                )  # fmt: skip


@contextmanager
def bulletin_site(server: ServerAddress, folder: Path) -> Iterator[BulletinSite]:
    """The divisions without figures; `fill` writes them."""
    with divisions_site(server, folder) as site:
        site.load(divisions())
        yield BulletinSite(site)
