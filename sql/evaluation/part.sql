-- What each indicator brings each division: points of 100 by the method, and the share of the weight that they count with.
-- A period's figures are mostly those of villages: they are looked up division by division (OFFSET 0 keeps it so).
CREATE TEMPORARY TABLE part ON COMMIT DROP AS
WITH found AS MATERIALIZED (
    SELECT figure.*
    FROM place
    CROSS JOIN LATERAL (
        SELECT indicator_figure.*
        FROM mart.indicator_figure
        WHERE indicator_figure.period_id = :period_id AND indicator_figure.division_id = place.division_id
        OFFSET 0
    ) AS figure
),

figure AS MATERIALIZED (
    SELECT
        place.division_id,
        rule.level,
        rule.indicator_id,
        found.numerator,
        found.denominator,
        found.value,
        rule.applies AND coalesce(found.is_provisional, false) AS is_provisional,
        found.note_zh,
        CASE
            WHEN NOT rule.applies OR found.status = 'not_applicable' THEN 'not_applicable'
            WHEN found.value IS NULL THEN 'missing'
            ELSE 'scored'
        END AS status
    FROM place
    JOIN rule ON rule.level = place.level
    LEFT JOIN found ON found.division_id = place.division_id AND found.indicator_id = rule.indicator_id
),

-- Against whom: those of the level that are not provisional.
compared AS (
    SELECT
        figure.division_id,
        figure.indicator_id,
        count(*) FILTER (WHERE NOT figure.is_provisional) OVER (PARTITION BY figure.level, figure.indicator_id)
        - (NOT figure.is_provisional)::integer AS peers,
        coalesce(count(*) FILTER (WHERE NOT figure.is_provisional) OVER (
            PARTITION BY figure.level, figure.indicator_id
            ORDER BY CASE WHEN rule.is_lower_better THEN figure.value ELSE -figure.value END
            GROUPS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ), 0) AS better
    FROM figure
    JOIN rule ON rule.level = figure.level AND rule.indicator_id = figure.indicator_id
    WHERE rule.method = 'rank_percentile' AND figure.status = 'scored'
),

pointed AS MATERIALIZED (
    SELECT
        figure.*,
        rule.weight,
        rule.missing,
        compared.peers,
        compared.better,
        CASE
            WHEN figure.status <> 'scored' THEN NULL
            WHEN rule.method = 'target_ratio' THEN least(
                100 * rule.cap,
                CASE
                    WHEN NOT rule.is_lower_better THEN greatest(0, 100 * figure.value / rule.target)
                    WHEN figure.value > 0 THEN 100 * rule.target / figure.value
                    ELSE 100 * rule.cap
                END
            )
            WHEN rule.method = 'efficacy' THEN least(
                rule.highest,
                greatest(rule.lowest, 60 + 40 * (figure.value - rule.floor) / (rule.target - rule.floor))
            )
            WHEN rule.method = 'stepped' THEN (
                SELECT coalesce(max(step.points), 0)
                FROM jsonb_to_recordset(rule.steps) AS step (at numeric, points numeric)
                WHERE CASE
                    WHEN rule.is_lower_better THEN figure.value <= step.at
                    ELSE figure.value >= step.at
                END
            )
            WHEN rule.method = 'rank_percentile'
                THEN 100 * (compared.peers - compared.better)::numeric / nullif(compared.peers, 0)
            WHEN rule.is_lower_better THEN 100 * (figure.value <= rule.target)::integer
            ELSE 100 * (figure.value >= rule.target)::integer
        END AS points
    FROM figure
    JOIN rule ON rule.level = figure.level AND rule.indicator_id = figure.indicator_id
    LEFT JOIN compared
        ON compared.division_id = figure.division_id AND compared.indicator_id = figure.indicator_id
),

-- Nobody to be ranked against: not applicable.
settled AS (
    SELECT
        pointed.division_id,
        pointed.indicator_id,
        pointed.level,
        CASE WHEN pointed.status = 'scored' AND pointed.points IS NULL THEN 'not_applicable' ELSE pointed.status END
            AS status,
        pointed.numerator,
        pointed.denominator,
        pointed.value,
        pointed.is_provisional,
        pointed.note_zh,
        pointed.peers,
        pointed.better,
        pointed.points,
        CASE
            WHEN pointed.points IS NOT NULL OR (pointed.status = 'missing' AND pointed.missing = 'zero')
                THEN pointed.weight
            ELSE 0
        END AS counted
    FROM pointed
),

weighed AS (
    SELECT settled.*, nullif(sum(settled.counted) OVER (PARTITION BY settled.division_id), 0) AS whole
    FROM settled
)

SELECT
    weighed.division_id,
    weighed.indicator_id,
    weighed.level,
    weighed.status,
    weighed.numerator,
    weighed.denominator,
    weighed.value,
    weighed.is_provisional,
    weighed.note_zh,
    weighed.peers,
    weighed.better,
    trim_scale(weighed.points) AS points,
    weighed.counted,
    trim_scale(coalesce(100 * weighed.counted / weighed.whole, 0)) AS effective_weight,
    CASE
        WHEN weighed.counted > 0 THEN trim_scale(weighed.counted * coalesce(weighed.points, 0) / weighed.whole)
    END AS score
FROM weighed
