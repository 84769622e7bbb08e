-- The indicators of every division. scale: from the period to a whole year. days_missing: of the period, not rolled up.
INSERT INTO mart.indicator_figure (
    period_id, division_id, indicator_id, numerator, denominator, value, status, completeness, is_provisional, note_zh
)
WITH term AS (
    SELECT
        scope.division_id,
        wanted.indicator_id,
        wanted.factor,
        wanted.denominator_id IS NOT NULL AS has_denominator,
        wanted.is_annualised,
        wanted.spans_days,
        over.value AS numerator,
        under.value AS denominator,
        least(
            over.share,
            under.share,
            CASE
                WHEN wanted.counts_submissions THEN least(scope.received::numeric / nullif(scope.expected, 0), 1)
            END
        ) AS completeness,
        over.note_zh AS note_over,
        under.note_zh AS note_under,
        CASE WHEN over.value IS NULL THEN over_ref.label END AS missing_over,
        CASE WHEN wanted.denominator_id IS NOT NULL AND under.value IS NULL THEN under_ref.label END AS missing_under
    FROM scope
    JOIN wanted ON wanted.depth = scope.depth
    JOIN ref AS over_ref ON over_ref.ref_id = wanted.numerator_id
    LEFT JOIN ref AS under_ref ON under_ref.ref_id = wanted.denominator_id
    LEFT JOIN base AS over ON over.ref_id = wanted.numerator_id AND over.division_id = scope.division_id
    LEFT JOIN base AS under ON under.ref_id = wanted.denominator_id AND under.division_id = scope.division_id
    WHERE scope.is_judged
),

reckoned AS (
    SELECT
        term.*,
        CASE
            WHEN term.has_denominator
                THEN term.numerator * term.factor * CASE WHEN term.is_annualised THEN :year_days ELSE 1 END
                    / nullif(term.denominator * CASE WHEN term.is_annualised THEN :days ELSE 1 END, 0)
            WHEN term.is_annualised THEN term.numerator * term.factor * :year_days / :days
            ELSE term.numerator * term.factor
        END AS value
    FROM term
)

SELECT
    :period_id,
    reckoned.division_id,
    reckoned.indicator_id,
    reckoned.numerator,
    reckoned.denominator,
    reckoned.value,
    CASE
        WHEN reckoned.value IS NOT NULL THEN NULL
        WHEN reckoned.denominator = 0 THEN 'not_applicable'
        ELSE 'no_data'
    END,
    reckoned.completeness,
    coalesce(reckoned.completeness < :provisional_below, false) OR reckoned.spans_days AND :days_missing > 0,
    nullif(
        concat_ws(
            '；',
            CASE WHEN reckoned.denominator IS DISTINCT FROM 0 THEN '缺数据：' || reckoned.missing_over END,
            '缺数据：' || reckoned.missing_under,
            reckoned.note_over,
            reckoned.note_under,
            CASE
                WHEN reckoned.is_annualised AND reckoned.value IS NOT NULL AND :days <> :year_days
                    THEN format('由%s天折算为全年', :days)
            END,
            CASE WHEN reckoned.spans_days AND :days_missing > 0 THEN format('尚有%s天未汇总', :days_missing) END
        ),
        ''
    )
FROM reckoned
ORDER BY reckoned.division_id, reckoned.indicator_id
