-- Who is evaluated: the divisions of the scheme's levels that are there on the period's last day and have figures in it.
CREATE TEMPORARY TABLE place ON COMMIT DROP AS
WITH RECURSIVE active AS (
    SELECT period.division_id, period.parent_id, period.level, period.division_id AS top_id
    FROM core.division_period AS period
    WHERE period.parent_id IS NULL AND period.valid_from <= :day AND :day < period.valid_to
    UNION ALL
    SELECT period.division_id, period.parent_id, period.level, active.top_id
    FROM active
    JOIN core.division_period AS period ON period.parent_id = active.division_id
    JOIN core.level ON level.level = period.level
    WHERE period.valid_from <= :day AND :day < period.valid_to
        AND level.depth <= (SELECT max(deepest.depth) FROM core.level AS deepest WHERE deepest.level = ANY(:levels))
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
