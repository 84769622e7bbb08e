-- Who is evaluated: the divisions of the scheme's levels that are there on the period's last day and have figures in it.
CREATE TEMPORARY TABLE place ON COMMIT DROP AS
WITH RECURSIVE deepest AS MATERIALIZED (
    SELECT max(level.depth) AS depth
    FROM core.level
    WHERE level.level = ANY(:levels)
),

active AS (
    SELECT period.division_id, period.parent_id, period.level, level.depth, period.division_id AS top_id
    FROM core.division_period AS period
    JOIN core.level ON level.level = period.level
    WHERE period.parent_id IS NULL AND period.valid_from <= :day AND :day < period.valid_to
    UNION ALL
    SELECT period.division_id, period.parent_id, period.level, level.depth, active.top_id
    FROM deepest
    JOIN active ON active.depth < deepest.depth
    JOIN core.division_period AS period ON period.parent_id = active.division_id
    JOIN core.level ON level.level = period.level
    WHERE period.valid_from <= :day AND :day < period.valid_to
)

SELECT active.division_id, active.parent_id, active.level, active.top_id, division.division_code
FROM active
JOIN core.division ON division.division_id = active.division_id
CROSS JOIN LATERAL (
    SELECT 1
    FROM mart.indicator_figure AS figure
    WHERE figure.period_id = :period_id AND figure.division_id = active.division_id
    LIMIT 1
) AS figure
WHERE active.level = ANY(:levels)
