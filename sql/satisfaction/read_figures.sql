-- Survey figures and services of the period, one row per division, channel and role: the place of the measure in :survey from
-- 1 on, 0 for all services. Of a division with others below it is_own is its own unit's, otherwise its total.
CREATE TEMPORARY TABLE satisfaction_read ON COMMIT DROP AS
WITH counted AS (
    SELECT
        cell.cell_id,
        cell.channel_id,
        CASE WHEN measure.measure = ANY(:services) THEN 0 ELSE array_position(:survey, measure.measure) END AS role
    FROM core.cell
    JOIN core.measure ON measure.measure_id = cell.measure_id
    WHERE cell.channel_id <> 0 AND (measure.measure = ANY(:services) OR measure.measure = ANY(:survey))
),

figure AS (
    SELECT total.division_id, false AS is_own, unnest(total.cells) AS cell_id, unnest(total.figures) AS value
    FROM mart.period_sum AS total
    WHERE total.period_id = :period_id
    UNION ALL
    SELECT own.unit_id, true, unnest(own.cells), unnest(own.figures)
    FROM mart.unit_sum AS own
    WHERE own.period_id = :period_id
)

SELECT figure.division_id, figure.is_own, counted.channel_id, counted.role, sum(figure.value)::bigint AS value
FROM figure
JOIN counted ON counted.cell_id = figure.cell_id
GROUP BY figure.division_id, figure.is_own, counted.channel_id, counted.role
