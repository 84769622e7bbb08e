-- The same rows, grouped to as many rows under the same key: as many to a division as it has indicators.
INSERT INTO floor (
    period_id, division_id, indicator_id, numerator, denominator, value, status, completeness, is_provisional, note_zh
)
WITH input AS (
    SELECT division_id, cell_id, value FROM mart.period_total
    UNION ALL
    SELECT unit_id, cell_id, value FROM mart.period_own
    UNION ALL
    SELECT division_id, 0, received FROM mart.period_reporting
    UNION ALL
    SELECT division_id, cell_id, value FROM mart.stock_total WHERE stat_date = %(day)s
    UNION ALL
    SELECT unit_id, unnest(cells), unnest(figures) FROM core.submission WHERE stat_date = %(day)s AND dataset = 'stocks'
)

SELECT
    1, input.division_id, input.cell_id %% asked.indicators, sum(input.value), count(*), sum(input.value) / count(*), NULL,
    1, false, NULL
FROM input
JOIN (
    SELECT division_id, count(*)::integer AS indicators FROM mart.indicator_figure GROUP BY division_id
) AS asked ON asked.division_id = input.division_id
GROUP BY input.division_id, input.cell_id %% asked.indicators
