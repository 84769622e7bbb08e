"""Compose: sentences, tables and pictures from the facts. Nothing is computed here but order and counts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from etl.bulletin import charts, words
from etl.bulletin.document import Block, Document, Grid, Part, Picture
from etl.bulletin.figure import Figure, Paragraph, Writer
from etl.bulletin.read import Facts, Place
from etl.bulletin.tiles import lay_out, tiles_of
from etl.catalog import Catalog
from etl.catalog.bulletin import Bulletin, Section
from etl.clock import SHANGHAI
from etl.periods import Period, day_zh
from etl.rounding import NONE

NUMERALS = "一二三四五六七八九十"
STATUS_WORDS = {
    "met": "达标",
    "not_met": "未达标",
    "no_data": "无数据",
    "not_applicable": "不适用",
    None: "不考核",
}
NATURES = {"binding": "约束性", "expected": "预期性", None: ""}
REASONS = {
    "unit_unknown": "单位不存在",
    "unit_outside_area": "单位不在平台范围",
    "unit_inactive": "单位已停用",
    "measure": "指标不符",
    "channel": "渠道不符",
    "level": "层级不符",
    "value": "数值不符",
    "date": "日期不符",
    "conflict": "同版数据矛盾",
    "personal": "含个人信息",
    "balance": "审核关系不平",
    "structure": "格式不符",
    "period_locked": "报告期已封账",
}
PLANS = {"SD-2025": "山东省公共法律服务体系建设规划（2022—2025年）"}
POOR = Decimal(60)
HIDDEN = "不公布"
SHOWN_IN_SENTENCE = 3
FEWEST_MONTHS = 3
"""Of which something can be said about a trend."""


def compose(catalog: Catalog, bulletin: Bulletin, facts: Facts, made_on: date) -> Document:
    """The bulletin of the facts, dated made_on."""
    return _Composer(catalog, bulletin, facts).document(made_on)


class _Composer:
    def __init__(self, catalog: Catalog, bulletin: Bulletin, facts: Facts) -> None:
        self.catalog, self.bulletin, self.facts = catalog, bulletin, facts
        compared = (facts.total, *facts.measures.values(), *facts.indicators.values())
        self.has_bases = any(
            figure is not None
            and (figure.get("value_previous"), figure.get("value_last_year")) != (None, None)
            for figure in (*compared, facts.satisfaction.get(facts.place.code))
        )
        self.is_yearly = facts.period.kind == "year"
        self.writer = Writer(is_yearly=self.is_yearly, has_bases=self.has_bases)
        self.place = facts.place
        self.office = bulletin.offices[self.place.level]  # type: ignore[index]
        self.period = facts.period.name_zh
        self.tables = self.pictures = 0
        self.texts: dict[str, Any] = {
            "division": self.place.name,
            "whole": _whole(self.place.name),
            "period": self.period,
            "year": facts.period.starts_on.year,
            "number": words.number_in_year(facts.period),
        }

    def document(self, made_on: date) -> Document:
        reporting = self.facts.reporting.get(self.place.code)
        is_provisional = any(
            figure.is_provisional
            for figure in (self.facts.total, *self.facts.measures.values(), *self.facts.indicators.values())
            if figure is not None
        )
        lead = self._write(
            "lead",
            reporting=reporting,
            is_provisional=is_provisional,
            has_bases=self.has_bases,
            is_yearly=self.is_yearly,
        )
        parts = tuple(
            Part(f"{NUMERALS[number]}、{section.heading}", tuple(self._blocks(section)))
            for number, section in enumerate(self.bulletin.sections)
        )
        known = self.facts.written_at.astimezone(SHANGHAI)
        return Document(
            title=self.bulletin.title.format_map(self.texts),
            issue=self.bulletin.issue.format_map(self.texts),
            office=self.office.name.format_map(self.texts),
            addressee=f"{self.office.addressee}：",
            dated=day_zh(made_on),
            known=f"{day_zh(known.date())}{known:%H:%M}",
            notes=tuple(self._notes()),
            lead=tuple(lead),
            parts=parts,
            sources=tuple(self.writer.sources()),
            name=f"公共法律服务通报_{self.place.name}_{self.facts.period.name}",
        )

    def _write(self, section: str, **given: object) -> list[Paragraph]:
        return self.writer.paragraphs(section, **self.texts | given)

    def _blocks(self, section: Section) -> list[Block]:
        made: dict[str, Callable[[], list[Block]]] = {
            "headline": self._headline,
            "trend": self._trend,
            "channels": self._channels,
            "ranking": self._ranking,
            "targets": self._targets,
            "timeliness": self._timeliness,
            "quality": self._quality,
        }
        return made[section.part]()

    def _table_title(self, text: str) -> str:
        self.tables += 1
        return f"表{self.tables}　{text}"

    def _picture_title(self, text: str) -> str:
        self.pictures += 1
        return f"图{self.pictures}　{text}"

    def _source(self, view: str, more: str = "") -> str:
        return f"数据来源：{view}，{self.place.name}（{self.place.code}），{self.facts.period.name}{more}"

    def _notes(self) -> list[str]:
        notes = [
            "句末〔〕内为附录“数据来源”中的序号及所用数据中最低的报送率；报送率=实报份数÷应报份数。",
            "数量指标的同比、环比为增减百分比，比率指标为百分点之差；缺少可比基数、基数为零或数据为初步的，以“—”表示，不作比较。",
        ]
        row = self.facts.survey.get(self.place.code)
        if row is not None:
            notes.append(
                f"满意度口径：{row.definition_zh.rstrip('。')}；区间为{words.percent(row.confidence, 0)}置信区间"
                "（Wilson法），位次区间为在该区间内不能排除的名次。"
            )
        return notes

    # --- 总体情况 ---------------------------------------------------------------------------------------------

    def _headline(self) -> list[Block]:
        facts = self.facts
        measures = list(facts.measures.values())
        known = [each for each in measures if each.value is not None]
        compared = [each for each in known if each.get("yoy") is not None]
        ordered = sorted(compared, key=lambda each: (-(each.get("yoy") or 0), each.code))
        absent = [
            self.catalog.measures[code].name_zh
            for code in self.bulletin.measures
            if code not in facts.measures or facts.measures[code].value is None
        ]
        paragraphs = self._write(
            "headline",
            total=facts.total,
            per_10000=self._valued("services_per_10000"),
            leading=known[: self.bulletin.leading],
            risen=ordered[0] if ordered and (ordered[0].get("yoy") or 0) > 0 else None,
            fallen=ordered[-1] if ordered and (ordered[-1].get("yoy") or 0) < 0 else None,
            rates=[each for each in map(self._valued, self.bulletin.rates) if each is not None],
            absent="、".join(absent),
        )
        return [*paragraphs, self._headline_table()]

    def _valued(self, code: str) -> Figure | None:
        figure = self.facts.indicators.get(code)
        return figure if figure is not None and figure.value is not None else None

    def _headline_table(self) -> Grid:
        listed = [
            *([self.facts.total] if self.facts.total else []),
            *self.facts.measures.values(),
            *(self.facts.indicators[code] for code in self.bulletin.rates if code in self.facts.indicators),
        ]
        rows = tuple(
            (
                each.name,
                each.unit,
                words.amount(each.value, each.unit) + ("（初步）" if each.is_provisional else ""),
                words.signed(each.get("yoy"), each.unit),
                words.signed(each.get("mom"), each.unit),
                words.amount(each.get("ytd"), each.unit),
                words.percent(each.completeness),
            )
            for each in listed
        )
        # Of a year, 环比 is 同比 and 累计 the year's own figure.
        kept = [n for n in range(7) if not self.is_yearly or n not in (4, 5)]
        return Grid(
            self._table_title("主要数据"),
            tuple(("指标", "计量单位", "本期", "同比", "环比", "年初累计", "报送率")[n] for n in kept),
            tuple(tuple(row[n] for n in kept) for row in rows),
            "".join("lcrrrrr"[n] for n in kept),
            tuple((24, 10, 13, 15, 15, 13, 10)[n] for n in kept),
            self._source("mart.period_statistics、mart.indicator_value"),
            heavy=frozenset({0}) if self.facts.total else frozenset(),
        )

    # --- 业务走势 ---------------------------------------------------------------------------------------------

    def _trend(self) -> list[Block]:
        known = [
            (month, each) for month, each in self.facts.trend if each is not None and each.value is not None
        ]
        if not known:
            return []
        names = {month: month.name_zh for month, _ in self.facts.trend}
        firm = [(month, each) for month, each in known if not each.is_provisional] or known
        highest = max(firm, key=lambda each: each[1].value or 0)
        lowest = min(firm, key=lambda each: each[1].value or 0)
        streak, direction = _streak([figure for _, figure in self.facts.trend])
        provisional = [names[month] for month, each in known if each.is_provisional]
        missing = [names[month] for month, each in self.facts.trend if each is None or each.value is None]
        paragraphs = self._write(
            "trend",
            months=len(self.facts.trend),
            is_long=len(known) >= FEWEST_MONTHS,
            last=self.facts.trend[-1][1],
            highest=highest[1],
            highest_month=names[highest[0]],
            lowest=lowest[1],
            lowest_month=names[lowest[0]],
            streak=streak,
            direction=direction,
            last_month=names[self.facts.trend[-1][0]],
            provisional_months="、".join(provisional),
            missing_months="、".join(missing) if len(missing) <= 3 else f"其中{len(missing)}个月",
        )
        if len(known) < FEWEST_MONTHS:
            return list(paragraphs)
        title = self._picture_title(f"近{len(self.facts.trend)}个月公共法律服务量（件次）")
        alt = "折线图：" + "；".join(
            f"{names[month]}{words.count(figure.value) if figure else '无数据'}"
            for month, figure in self.facts.trend
        )
        drawn = charts.trend_chart(
            title,
            alt,
            [_month_label(month, number) for number, (month, _) in enumerate(self.facts.trend)],
            [
                int(each.value) if each is not None and each.value is not None else None
                for _, each in self.facts.trend
            ],
            [each is not None and each.is_provisional for _, each in self.facts.trend],
        )
        whose = f"{self.place.name}（{self.place.code}）"
        source = f"数据来源：mart.indicator_value，{whose}，各月{self.bulletin.total}的分母"
        return [*paragraphs, Picture(title, alt, drawn.svg, drawn.png, source)]

    # --- 渠道 -------------------------------------------------------------------------------------------------

    def _channels(self) -> list[Block]:
        shares = [each for each in map(self._valued, self.bulletin.shares) if each is not None]
        if not shares:
            return []
        names = [each.name.removesuffix("服务占比") for each in shares]
        period = self.facts.period
        columns = [(self.period, "value"), (period.previous().name_zh, "value_previous")]
        if period.kind != "year":
            columns.append((period.last_year().name_zh, "value_last_year"))
        rows = [(label, [each.get(column) for each in shares]) for label, column in columns]
        rows = [row for row in rows if any(share is not None for share in row[1])]
        paragraphs = self._write("channels", shares=shares, names=names)
        title = self._picture_title("各渠道服务占比")
        alt = "条形图：" + "；".join(
            f"{label}："
            + "、".join(f"{name}{words.percent(share)}" for name, share in zip(names, row, strict=True))
            for label, row in rows
        )
        drawn = charts.share_chart(title, alt, rows, names)
        return [*paragraphs, Picture(title, alt, drawn.svg, drawn.png, self._source("mart.indicator_value"))]

    # --- 满意度与评价 ------------------------------------------------------------------------------------------

    def _ranking(self) -> list[Block]:
        facts = self.facts
        below = [each for each in facts.below if each.code in facts.survey or each.code in facts.scores]
        shown = {code: row for code, row in facts.survey.items() if row.is_shown and row.rate is not None}
        ranked = [each for each in below if each.code in shown and shown[each.code].rank_low is not None]
        small = [each for each in below if each.code in shown and not shown[each.code].enough]
        hidden = [
            each
            for each in below
            if each.code in facts.survey and not facts.survey[each.code].is_shown and self._has_note(each)
        ]
        scored = sorted(
            (each for each in below if self._rank(each) is not None),
            key=lambda each: (self._rank(each), each.code),
        )
        best = [each for each in scored if (self._rank(each) or 0) <= SHOWN_IN_SENTENCE]
        weak = [each for each in scored if (facts.scores[each.code].value or 0) < POOR]
        vetoed = [
            each.name
            for each in below
            if each.code in facts.score_rows and facts.score_rows[each.code].is_vetoed
        ]
        scheme = next(iter(facts.score_rows.values())).scheme_name if facts.score_rows else ""
        paragraphs = self._write(
            "ranking",
            whole_rate=facts.satisfaction.get(self.place.code),
            leading=[facts.satisfaction[each.code] for each in ranked if shown[each.code].is_leading],
            ranked=len(ranked),
            below=self.office.below,
            small=[facts.satisfaction[each.code] for each in small],
            hidden="、".join(each.name for each in hidden),
            best=[facts.scores[each.code] for each in best],
            best_ranks=max([self._rank(each) or 1 for each in best], default=1),
            weak=[facts.scores[each.code] for each in weak],
            vetoed="、".join(vetoed),
            unscored="、".join(
                each.name
                for each in below
                if each.code in facts.score_rows and facts.score_rows[each.code].is_hidden
            ),
            scheme=scheme,
        )
        blocks: list[Block] = list(paragraphs)
        in_order = sorted(
            (each for each in below if each.code in shown),
            key=lambda each: (not shown[each.code].enough, -shown[each.code].rate, each.code),
        )
        if in_order:
            blocks.append(self._interval_picture(in_order, shown))
        if self._is_surveyed(below) or scheme:
            blocks.append(self._ranking_table(below, shown, scheme))
        return blocks

    def _has_note(self, place: Place) -> bool:
        return bool(self.facts.survey[place.code].note_zh)

    def _rank(self, place: Place) -> int | None:
        row = self.facts.score_rows.get(place.code)
        return None if row is None else row.rank_in_parent

    def _interval_picture(self, in_order: Sequence[Place], shown: Mapping[str, Any]) -> Picture:
        title = self._picture_title(f"各{self.office.below}满意率及95%置信区间")
        rows = []
        for each in in_order:
            row = shown[each.code]
            remark = (
                f"位次{_span(row.rank_low, row.rank_high)}"
                if row.rank_low is not None
                else "初步，不排名"
                if row.is_provisional
                else "样本不足，不排名"
            )
            rows.append(
                (
                    each.name,
                    float(row.rate),
                    float(row.rate_low),
                    float(row.rate_high),
                    row.rank_low is not None,
                    remark,
                )
            )
        alt = "点图：" + "；".join(
            f"{name}{words.percent(rate)}（{words.percent(low)}至{words.percent(high)}，{remark}）"
            for name, rate, low, high, _, remark in rows
        )
        whole = self.facts.survey.get(self.place.code)
        rate = float(whole.rate) if whole is not None and whole.rate is not None else None
        drawn = charts.interval_chart(title, alt, rows, rate, self.texts["whole"])
        return Picture(title, alt, drawn.svg, drawn.png, self._source("mart.satisfaction", "，下一级"))

    def _ranking_table(self, below: Sequence[Place], shown: Mapping[str, Any], scheme: str) -> Grid:
        facts = self.facts
        in_order = sorted(
            below, key=lambda each: (self._rank(each) is None, self._rank(each) or 0, each.code)
        )
        rows = []
        for each in in_order:
            survey, score = shown.get(each.code), facts.scores.get(each.code)
            grade = facts.score_rows[each.code].grade if each.code in facts.score_rows else None
            reporting = facts.reporting.get(each.code)
            place = NONE if self._rank(each) is None else str(self._rank(each))
            if survey is not None:
                sample, rate = words.count(survey.answered), words.percent(survey.rate)
                rate += "（初步）" if survey.is_provisional else ""
                span = f"{words.percent(survey.rate_low)}—{words.percent(survey.rate_high)}"
                ranks = _span(survey.rank_low, survey.rank_high) if survey.rank_low is not None else "不排名"
            else:
                is_hidden = each.code in facts.survey and self._has_note(each)
                sample = rate = span = HIDDEN if is_hidden else NONE
                ranks = "不排名" if is_hidden else NONE
            value = words.score(score.value if score else None)
            if each.code in facts.score_rows and facts.score_rows[each.code].is_hidden:
                value = grade = place = HIDDEN
            elif score is not None and score.is_provisional:
                value += "（初步）"
            rows.append(
                (
                    each.name,
                    sample,
                    rate,
                    span,
                    ranks,
                    value,
                    grade or NONE,
                    place,
                    words.percent(reporting.get("reporting_rate") if reporting else None),
                )
            )
        heads = (
            self.office.below, "有效回答", "满意率", "95%置信区间", "位次区间", "评价得分", "等级", "评价位次",
            "报送率",
        )  # fmt: skip
        # A part that there is nothing of has no columns: townships are rarely surveyed, and no plan scores them.
        kept = [0, *(range(1, 5) if self._is_surveyed(below) else ()), *(range(5, 8) if scheme else ()), 8]
        parts = (["满意率"] if 1 in kept else []) + ([f"绩效评价（{scheme}）"] if 5 in kept else [])
        views = (["mart.satisfaction"] if 1 in kept else []) + (["mart.evaluation"] if 5 in kept else [])
        return Grid(
            self._table_title(f"各{self.office.below}{'与'.join(parts)}"),
            tuple(heads[n] for n in kept),
            tuple(tuple(row[n] for n in kept) for row in rows),
            "".join("lrrccrccr"[n] for n in kept),
            tuple((21, 9, 9, 15, 10, 10, 8, 9, 9)[n] for n in kept),
            self._source("、".join([*views, "mart.reporting_rate"]), "，下一级"),
            is_small=True,
        )

    def _is_surveyed(self, below: Sequence[Place]) -> bool:
        """Whether anybody was asked below, shown or not."""
        survey = self.facts.survey
        return any(
            each.code in survey and (survey[each.code].is_shown or self._has_note(each)) for each in below
        )

    # --- 规划指标 ---------------------------------------------------------------------------------------------

    def _targets(self) -> list[Block]:
        facts = self.facts
        plan = [
            each
            for each in self.catalog.indicators.values()
            if each.source.key == self.bulletin.targets and each.number is not None
        ]
        if not plan:
            return []
        status = {each.code: facts.statuses.get(each.code) for each in plan if each.code in facts.indicators}
        tally = {
            name: sum(found == name for found in status.values()) for name in ("met", "not_met", "no_data")
        }
        tally["beyond"] = len(plan) - sum(tally.values())
        counts = Figure(
            "mart.indicator_value",
            self.place.code,
            self.place.name,
            facts.period.name,
            self.bulletin.targets,
            "主要指标按完成情况计数",
            "项",
            {"value": len(plan)} | tally,
            *self._completeness(),
        )
        missed = [(each, facts.indicators[each.code]) for each in plan if status.get(each.code) == "not_met"]
        by_attainment = sorted(missed, key=lambda each: (each[1].get("attainment") or 0, each[0].number or 0))
        paragraphs = self._write(
            "targets",
            plan=PLANS.get(self.bulletin.targets, self.bulletin.targets),
            tally=counts,
            binding=[figure for each, figure in by_attainment if each.nature == "binding"],
            has_binding=any(each.nature == "binding" and status.get(each.code) == "met" for each in plan),
            worst=[figure for each, figure in by_attainment if each.nature != "binding"][:SHOWN_IN_SENTENCE],
        )
        judged = sorted(
            (
                (each, facts.indicators[each.code])
                for each in plan
                if status.get(each.code) in ("met", "not_met")
            ),
            key=lambda each: (
                each[1].get("attainment") is None,
                each[1].get("attainment") or 0,
                each[0].number or 0,
            ),
        )
        blocks: list[Block] = list(paragraphs)
        points = [
            (f"{each.name_zh}", float(figure.get("attainment") or 0), status[each.code] or "")
            for each, figure in judged
            if figure.get("attainment") is not None
        ]
        if points:
            title = self._picture_title("主要指标完成程度（实际值÷目标值，圆点为达标，菱形为未达标）")
            alt = "点图：" + "；".join(
                f"{name}{words.percent(reached, 0)}，{STATUS_WORDS[found]}" for name, reached, found in points
            )
            drawn = charts.target_chart(title, alt, points)
            blocks.append(Picture(title, alt, drawn.svg, drawn.png, self._source("mart.indicator_value")))
        blocks.append(self._target_table(plan, status))
        return blocks

    def _completeness(self) -> tuple[int | None, int | None]:
        mine = self.facts.reporting.get(self.place.code)
        return (mine.expected, mine.received) if mine else (None, None)

    def _target_table(self, plan: Sequence[Any], status: Mapping[str, str | None]) -> Grid:
        rows, heavy = [], set()
        for number, each in enumerate(plan):
            figure = self.facts.indicators.get(each.code)
            if status.get(each.code) == "not_met":
                heavy.add(number)
            if figure is None:
                rows.append(
                    (
                        str(each.number),
                        each.name_zh,
                        NATURES[each.nature],
                        each.unit,
                        "—",
                        "—",
                        "—",
                        "—",
                        "不考核",
                        "—",
                    )
                )
                continue
            value = words.amount(figure.value, each.unit) + ("（初步）" if figure.is_provisional else "")
            rows.append(
                (
                    str(each.number),
                    each.name_zh,
                    NATURES[each.nature],
                    each.unit,
                    value,
                    words.signed(figure.get("yoy"), figure.unit).replace("个百分点", "点"),
                    words.amount(figure.get("target"), each.unit),
                    words.percent(figure.get("attainment")),
                    STATUS_WORDS[status.get(each.code)],
                    words.percent(figure.get("completeness")),
                )
            )
        return Grid(
            self._table_title(f"规划{len(plan)}项主要指标完成情况"),
            ("序号", "指标", "性质", "单位", "本期", "同比", "目标", "完成程度", "状态", "完整度"),
            tuple(rows),
            "clccrrrrcr",
            (5, 33, 8, 5, 10, 9, 8, 10, 8, 8),
            self._source(
                "mart.indicator_value", "；比率指标的同比以百分点（点）计，完整度为所用数据中最低的报送比例"
            ),
            heavy=frozenset(heavy),
            is_small=True,
        )

    # --- 报送及时性 -------------------------------------------------------------------------------------------

    def _timeliness(self) -> list[Block]:
        facts = self.facts
        mine = facts.reporting.get(self.place.code)
        below = {
            each.code: facts.reporting[each.code] for each in facts.below if each.code in facts.reporting
        }
        late = sorted(
            (each for each in below.values() if (each.get("not_on_time") or 0) > 0),
            key=lambda each: (-(each.get("not_on_time_rate") or 0), each.division_code),
        )
        silent = [each.name for each in facts.below if each.code not in below]
        paragraphs = self._write(
            "timeliness",
            reporting=mine,
            on_time=self._valued("on_time_reporting_rate"),
            is_over=mine is not None and mine.get("missing") is not None,
            latest=late[:SHOWN_IN_SENTENCE],
            silent="、".join(silent),
        )
        if not facts.below:
            return list(paragraphs)
        is_map = tiles_of(self.catalog, self.place.code) is not None
        order = "位置为大致方位" if is_map else "按代码排列"
        title = self._picture_title(f"各{self.office.below}未按时报送比例（方格示意图，{order}）")
        names = {each.code: each.name for each in facts.below}
        shares = {code: each.get("not_on_time_rate") or 0 for code, each in below.items()}
        alt = "方格图：" + "；".join(
            f"{name}{words.percent(shares[code]) if code in shares else '无应报'}"
            for code, name in names.items()
        )
        places = lay_out(self.catalog, self.place.code, list(names))
        drawn = charts.tile_map(title, alt, places, names, shares)
        source = self._source("mart.reporting_rate", "，下一级；未按时包括迟报、截止后补报、缺报和拒收")
        return [*paragraphs, Picture(title, alt, drawn.svg, drawn.png, source, width=0.86)]

    # --- 异常 -------------------------------------------------------------------------------------------------

    def _quality(self) -> list[Block]:
        facts = self.facts
        flags = facts.flags
        settled = (flags.get("explained") or 0) + (flags.get("closed") or 0)
        flags = Figure(
            flags.view, flags.division_code, flags.division_name, flags.period, flags.code, flags.name, flags.unit,
            {**flags.columns, "settled": settled},
        )  # fmt: skip
        provisional = [
            each.name
            for each in facts.below
            if (each.code in facts.scores and facts.scores[each.code].is_provisional)
            or (each.code in facts.satisfaction and facts.satisfaction[each.code].is_provisional)
        ]
        platforms = sorted({name for name, *_ in facts.platforms_out})
        paragraphs = self._write(
            "quality",
            batches=facts.batches,
            platforms_out="、".join(platforms[:5])
            + (f"等{len(platforms)}个平台" if len(platforms) > 5 else ""),
            quarantine=facts.quarantine,
            reasons="、".join(
                f"{REASONS.get(code, code)}{rows}行" for code, rows in facts.reasons[:SHOWN_IN_SENTENCE]
            ),
            flags=flags,
            restated=facts.restated,
            provisional="、".join(provisional),
        )
        return [*paragraphs, self._quality_table(flags)]

    def _quality_table(self, flags: Figure) -> Grid:
        facts = self.facts
        held, batches, restated = facts.quarantine, facts.batches, facts.restated
        mine = facts.reporting.get(self.place.code)

        def told(figure: Figure, *named: tuple[str, str]) -> str:
            return "，".join(f"{name}{words.count(figure.get(column))}" for name, column in named)

        rows = [
            (
                "数据批次",
                "批",
                words.count(batches.value),
                told(batches, ("入库", "loaded"), ("失败", "failed"), ("拒收", "rejected")),
                "失败批次由系统自动重取，拒收批次退回重报",
            ),
            (
                "隔离数据",
                "行",
                words.count(held.value),
                told(held, ("待处理", "held"), ("已放行", "released"), ("已作废", "discarded")),
                "待处理数据未计入本通报",
            ),
            (
                "核实性疑问",
                "条",
                words.count(flags.value),
                told(flags, ("待说明", "open"), ("已说明", "explained"), ("已办结", "closed")),
                "数据已计入，说明随数据留存",
            ),
            (
                "更正报送",
                "份",
                words.count(restated.value),
                told(restated, ("其中期后更正", "restated_after")),
                "已按更正后数据统计",
            ),
        ]
        if mine is not None:
            rows.insert(
                0,
                (
                    "缺报",
                    "份",
                    words.count(mine.get("missing")),
                    told(mine, ("应报", "expected"), ("实报", "received"), ("拒收", "rejected")),
                    "缺报不以零代替",
                ),
            )
        return Grid(
            self._table_title("异常情况与处理"),
            ("事项", "单位", "数量", "其中", "处理"),
            tuple(rows),
            "lccll",
            (12, 7, 9, 36, 36),
            self._source(
                "mart.ledger、quality.quarantine、quality.flag、core.submission、mart.reporting_rate"
            ),
        )


def _whole(name: str) -> str:
    """全省, 全市, 全县 or 全区, as the name ends."""
    return f"全{name[-1]}" if name[-1] in "省市县旗" else "全区"


def _span(low: int, high: int) -> str:
    return f"第{low}" if low == high else f"第{low}—{high}"


def _month_label(month: Period, number: int) -> str:
    first = month.starts_on
    return f"{first.month}月\n{first.year}" if number == 0 or first.month == 1 else f"{first.month}月"


def _streak(figures: Sequence[Figure | None]) -> tuple[list[Figure], str]:
    """The last figures that rise, or fall, month by month; nothing where it is one step alone or anything is
    provisional."""
    streak: list[Figure] = []
    rising: bool | None = None
    for figure in reversed(figures):
        if figure is None or figure.is_provisional or figure.value is None:
            break
        if streak:
            step = (streak[0].value or 0) - figure.value
            if step == 0 or (rising is not None and (step > 0) != rising):
                break
            rising = step > 0
        streak.insert(0, figure)
    return (streak, "增长" if rising else "下降") if len(streak) > 2 else ([], "")
