"""Compute the satisfaction of a period: counts, rates with their intervals, open ranks, and what is shown of
them."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import sqlalchemy as sa
from pyarrow import csv
from sqlalchemy.engine import Connection, Engine

from etl.catalog import Catalog, Level
from etl.failures import Refused
from etl.periods.period import Period
from etl.satisfaction.follow_up import write_dissatisfied
from etl.satisfaction.rates import Flags, Floats, Ints, open_ranks, share, wilson
from etl.satisfaction.read import (
    ANSWERED,
    ASKED,
    AWARE,
    AWARE_ANSWERED,
    DELIVERED,
    FIRST_ANSWER,
    FIRST_CHOICE,
    FIRST_CHOICE_ANSWERED,
    Survey,
    channel_ids,
    read_detail,
    read_survey,
    read_table,
)
from etl.satisfaction.suppress import CHANNELS, NOTHING
from etl.satisfaction.weighting import Cells, post_stratify
from etl.warehouse import copy_csv, plan_for_bulk, run_sql

LEVEL_NAMES = dict(zip(Level, ("省级", "市级", "县级", "乡级", "村级"), strict=True))
WEIGHTING_NAMES = {
    "none": "未加权",
    "services": "按渠道与层级的服务量加权",
    "population": "按下级区划常住人口加权",
}


class SatisfactionError(Refused):
    """The satisfaction of the period cannot be computed; the message says why and what to do."""


def compute_satisfaction(engine: Engine, catalog: Catalog, period: Period) -> None:
    """Write the satisfaction of a month, quarter, year or year to date from its totals (domain.md, section
    5).

    A quarter or year needs the totals of its months to decide what stays hidden. One transaction; run again,
    it writes the same rows. Raises SatisfactionError for a day, and for a period without totals.
    """
    if period.kind == "day":
        raise SatisfactionError(
            f"Satisfaction is computed for months and longer, not for {period.name}: days have too few answers,"
            " and single days would give small samples away."
        )
    with engine.begin() as conn:
        write_satisfaction(conn, catalog, period)


def write_satisfaction(conn: Connection, catalog: Catalog, period: Period) -> None:
    """The same in the caller's transaction, of a period that is not a day."""
    period_id = _take(conn, period)
    plan_for_bulk(conn)
    channels = channel_ids(conn, catalog)
    survey = read_survey(conn, catalog, period_id, channels)
    detail = read_detail(conn, catalog, period, period_id, channels)
    shown = np.asarray(detail.reindex(survey.divisions["division_id"]).fillna(CHANNELS), dtype=np.int64)
    frame = _rows(conn, catalog, period, survey, shown)
    frame["channel_id"] = pa.array(np.array([0, *channels])[frame.pop("place")])
    frame["period_id"] = pa.array(np.full(len(frame["channel_id"]), period_id))
    run_sql(conn, "satisfaction/forget", {"period_id": period_id})
    _copy(conn, frame)
    run_sql(conn, "satisfaction/rule", {"period_id": period_id, **_rule(catalog)})
    if period.kind == "month":
        write_dissatisfied(conn, catalog, period)
    run_sql(conn, "satisfaction/mark", {"period_id": period_id})


def _take(conn: Connection, period: Period) -> int:
    """Lock the period until the transaction ends; returns its number."""
    query = sa.text("SELECT period_id FROM mart.period WHERE period = :period FOR UPDATE")
    period_id = conn.execute(query, {"period": period.name}).scalar_one_or_none()
    if period_id is None:
        raise SatisfactionError(f"{period.name} has no totals yet: total the period first.")
    return int(period_id)


def _rows(
    conn: Connection, catalog: Catalog, period: Period, survey: Survey, shown: Ints
) -> dict[str, pa.Array]:
    """The table's columns: for every division its total over channels, and each channel where it has any
    survey."""
    rule = catalog.satisfaction_rule()
    divisions = survey.divisions
    figures = np.concatenate([_total(survey.figures)[:, None], survey.figures], axis=1)
    figures = _fill_nil(catalog, divisions, figures)
    has_survey = ~np.isnan(survey.figures[:, :, ASKED:]).all(axis=(1, 2))
    row, place = np.nonzero(
        np.column_stack([np.ones(len(divisions), dtype=bool), *[has_survey] * len(catalog.channels)])
    )
    figures = figures[row, place]
    answers = list(rule.score)
    count = {
        "asked": figures[:, ASKED],
        "answered": figures[:, ANSWERED],
        "delivered": figures[:, DELIVERED],
        **{name: _sum(figures, [answers.index(each) for each in getattr(rule, name)])
           for name in ("satisfied", "strictly_satisfied", "dissatisfied")},
        "aware": figures[:, AWARE],
        "aware_answered": figures[:, AWARE_ANSWERED],
        "first_choice": figures[:, FIRST_CHOICE],
        "first_choice_answered": figures[:, FIRST_CHOICE_ANSWERED],
    }  # fmt: skip
    is_hidden = np.where(place == 0, shown[row] == NOTHING, shown[row] < CHANNELS)
    is_provisional = _is_provisional(catalog, period, divisions)
    rates: dict[str, Floats] = {}
    for name, part, whole in (
        ("rate", "satisfied", "answered"),
        ("strict_rate", "strictly_satisfied", "answered"),
        ("awareness", "aware", "aware_answered"),
        ("first_choice_rate", "first_choice", "first_choice_answered"),
    ):
        rates[name] = share(count[part], count[whole])
        short = name.removesuffix("_rate") if name == "first_choice_rate" else name
        low, high = wilson(rates[name], np.nan_to_num(count[whole]), rule.confidence)
        rates[f"{short}_low"], rates[f"{short}_high"] = low, high
    points = np.nan_to_num(figures[:, FIRST_ANSWER:]) @ np.array(list(rule.score.values()), dtype=np.float64)
    rates["score"] = share(points, count["answered"])
    weighted, note = _weighted(conn, catalog, period, survey, shown)
    is_total = place == 0
    for name, values in weighted.items():
        rates[name] = np.where(is_total, values[row], np.nan)
    is_ranked = ~is_hidden & (count["answered"] >= rule.fewest_ranked) & ~is_provisional[row]
    return {
        "place": place,
        "division_id": pa.array(divisions["division_id"].to_numpy()[row]),
        "last_day": pa.array(divisions["last_day"].to_numpy()[row]),
        **{name: pa.array(np.nan_to_num(each).astype(np.int64), mask=np.isnan(each)) for name, each in count.items()},
        **{name: pa.array(each, mask=np.isnan(each)) for name, each in rates.items()},
        **_ranks(divisions, row, place, rates, is_ranked),
        "weighting_note_zh": pa.array(np.where(is_total, note[row], ""), mask=~is_total | (note[row] == "")),
        "is_provisional": pa.array(is_provisional[row]),
        "is_hidden": pa.array(is_hidden),
    }  # fmt: skip


def _total(figures: Floats) -> Floats:
    """Over channels: the sum of those reported, nan where none was."""
    return np.where(np.isnan(figures).all(axis=1), np.nan, np.nansum(figures, axis=1))


def _sum(figures: Floats, answers: list[int]) -> Floats:
    """Of some of the five answers; nan where none of the five was reported. One that is not listed nobody
    gave."""
    given = figures[:, FIRST_ANSWER:]
    return np.where(np.isnan(given).all(axis=1), np.nan, np.nansum(given[:, answers], axis=1))


def _fill_nil(catalog: Catalog, divisions: pd.DataFrame, figures: Floats) -> Floats:
    """Where nobody answered anything and a unit at or below the division reported nil, all is 0 (ruling 12); what
    nobody reported beside answers stays missing."""
    levels = catalog.measures["survey_answered"].levels
    owed = sum(2**level.depth for level in levels)
    is_nil = (divisions["nil_levels"].to_numpy(dtype=np.int64) & owed) > 0
    is_silent = np.isnan(figures[:, :, ASKED:]).all(axis=2, keepdims=True)
    return np.where(np.isnan(figures) & is_nil[:, None, None] & is_silent, 0.0, figures)


def _is_provisional(catalog: Catalog, period: Period, divisions: pd.DataFrame) -> Flags:
    """Whether too few submissions are in, or days of the period are not rolled up yet."""
    below = catalog.periods[period.kind].provisional_below
    is_thin = divisions["received"] < below * divisions["expected"]
    days = int(divisions["days_known"].max()) if len(divisions) else 0
    return np.asarray(is_thin | (days < period.days), dtype=bool)


def _ranks(
    divisions: pd.DataFrame, row: Ints, place: Ints, rates: dict[str, Floats], is_ranked: Flags
) -> dict[str, pa.Array]:
    group = (divisions["above"].to_numpy()[row] + 1) * 100 + divisions["depth"].to_numpy()[row] * 10 + place
    low, high = np.zeros(len(row), dtype=np.int64), np.zeros(len(row), dtype=np.int64)
    is_leading = np.zeros(len(row), dtype=bool)
    if is_ranked.any():
        values = (rates[name][is_ranked] for name in ("rate", "rate_low", "rate_high"))
        low[is_ranked], high[is_ranked], is_leading[is_ranked] = open_ranks(group[is_ranked], *values)
    names = {"rank_low": low, "rank_high": high, "is_leading": is_leading}
    return {name: pa.array(each, mask=~is_ranked) for name, each in names.items()}


def _weighted(
    conn: Connection, catalog: Catalog, period: Period, survey: Survey, shown: Ints
) -> tuple[dict[str, Floats], Any]:
    """Weighted rates by division, with their intervals, and what a reader must know of them.

    Only of divisions that have others below them and show every channel: elsewhere a weighted rate would tell
    of what is hidden; for the same reason the rate is rounded to 0.0001 and the effective sample to 1.
    """
    rule = catalog.satisfaction_rule()
    size = len(survey.divisions)
    note = np.full(size, "", dtype=object)
    names = ("weighted_rate", "weighted_low", "weighted_high", "effective_sample")
    empty = {name: np.full(size, np.nan) for name in names}
    answered = np.nansum(survey.figures[:, :, ANSWERED], axis=1)
    is_wanted = (
        (shown == CHANNELS)
        & (answered >= rule.fewest_shown)
        & ~survey.divisions["is_leaf"].to_numpy(dtype=bool)
    )
    if rule.weighting == "none" or not is_wanted.any():
        return empty, note
    if rule.weighting == "services":
        cells, labels = _channel_cells(catalog, survey, is_wanted)
    else:
        cells, labels = _division_cells(conn, catalog, period, survey, is_wanted)
    found = post_stratify(cells, size, rule.fewest_shown)
    rate, effective = found.rate.round(4), found.effective_sample.round()
    unweighted = is_wanted & np.isnan(rate)
    note[unweighted] = "无权重数据，未加权"
    for number, label in zip(cells.group[found.collapsed].tolist(), labels[found.collapsed], strict=True):
        if not unweighted[number]:
            note[number] += (
                f"、{label}" if note[number] else f"样本不足 {rule.fewest_shown} 份，合并计算：{label}"
            )
    low, high = wilson(rate, np.nan_to_num(effective), rule.confidence)
    return dict(zip(names, (rate, low, high, effective), strict=True)), note


def _channel_cells(catalog: Catalog, survey: Survey, is_wanted: Flags) -> tuple[Cells, Any]:
    """Cells of channel and level: what units of each level, at or below the division, delivered and were
    told."""
    rule = catalog.satisfaction_rule()
    answers = list(rule.score)
    own = np.nan_to_num(survey.own)
    satisfied = own[:, :, [FIRST_ANSWER + answers.index(each) for each in rule.satisfied]].sum(axis=2)
    kinds = np.stack([own[:, :, ANSWERED], satisfied, own[:, :, DELIVERED]])
    depth = survey.divisions["depth"].to_numpy(dtype=np.int64) - 1
    size, channels = own.shape[:2]
    by_level = np.zeros((3, size, channels, len(Level)))
    by_level[:, np.arange(size), :, depth] = kinds.transpose(1, 0, 2)
    above = survey.divisions["above"].to_numpy(dtype=np.int64)
    for level in range(len(Level) - 1, -1, -1):
        members = np.flatnonzero((depth == level) & (above >= 0))
        for each in by_level:
            np.add.at(each, above[members], each[members])
    wanted = np.flatnonzero(is_wanted)
    flat = by_level[:, wanted].reshape(3, -1)
    labels = np.array(
        [f"{each.name_zh}·{LEVEL_NAMES[level]}" for each in catalog.channels.values() for level in Level],
        dtype=object,
    )
    group = np.repeat(wanted, channels * len(Level))
    return Cells(group, *flat), np.tile(labels, len(wanted))


def _division_cells(
    conn: Connection, catalog: Catalog, period: Period, survey: Survey, is_wanted: Flags
) -> tuple[Cells, Any]:
    """Cells of the divisions directly below, which weigh by their population; the own unit's answers weigh
    nothing."""
    rule = catalog.satisfaction_rule()
    run_sql(conn, "satisfaction/read_population", {"ends_on": period.ends_on})
    population = read_table(conn, "satisfaction_population").set_index("division_id")["value"]
    ids = survey.divisions["division_id"]
    people = population.reindex(ids).fillna(0).to_numpy(dtype=np.float64)
    columns = [FIRST_ANSWER + list(rule.score).index(each) for each in rule.satisfied]
    above = survey.divisions["above"].to_numpy(dtype=np.int64)
    below = np.flatnonzero((above >= 0) & is_wanted[above])
    parents = np.flatnonzero(is_wanted)
    group = np.concatenate([above[below], parents])

    def of(figures: Floats, rows: Ints) -> tuple[Floats, Floats]:
        chosen = np.nan_to_num(figures[rows])
        return chosen[:, :, ANSWERED].sum(axis=1), chosen[:, :, columns].sum(axis=(1, 2))

    children, units = of(survey.figures, below), of(survey.own, parents)
    answered, satisfied = (np.concatenate(each) for each in zip(children, units, strict=True))
    weight = np.concatenate([people[below], np.zeros(len(parents))])
    names = survey.divisions["division_code"].astype(str).to_numpy(dtype=object)
    labels = np.concatenate([names[below], np.full(len(parents), "本级", dtype=object)])
    return Cells(group, answered, satisfied, weight), labels


def _rule(catalog: Catalog) -> dict[str, Any]:
    rule = catalog.satisfaction_rule()
    named = "＋".join(catalog.measures[each].name_zh for each in rule.satisfied)
    strict = "＋".join(catalog.measures[each].name_zh for each in rule.strictly_satisfied)
    return {
        "definition_zh": f"满意率＝（{named}）÷回答份数；从严满意率＝（{strict}）÷回答份数",
        "weighting_zh": WEIGHTING_NAMES[rule.weighting],
        "confidence": rule.confidence,
        "fewest_shown": rule.fewest_shown,
        "fewest_ranked": rule.fewest_ranked,
    }


def _copy(conn: Connection, columns: dict[str, pa.Array]) -> None:
    body = io.BytesIO()
    csv.write_csv(pa.table(columns), body, csv.WriteOptions(include_header=False))
    copy_csv(conn, "mart.satisfaction_figure", list(columns), body.getvalue())
