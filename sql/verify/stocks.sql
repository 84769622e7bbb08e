-- Stocks of a month's end that differ from those summed anew from the submissions and from what was carried forward.
WITH own AS (
    SELECT count.unit_id, count.cell_id, count.value FROM core.stock_count AS count WHERE count.stat_date = :day
    UNION ALL
    SELECT carried.unit_id, carried.cell_id, carried.value
    FROM mart.stock_carried AS carried
    WHERE carried.stat_date = :day
),

anew AS (
    SELECT upward.division_id, own.cell_id, sum(own.value) AS value
    FROM own
    JOIN core.division_upward(:day) AS upward USING (unit_id)
    GROUP BY upward.division_id, own.cell_id
),

-- A nil report is 0, and adds nothing.
shown AS (
    SELECT figure.division_id, figure.cell_id, nullif(figure.value, 0) AS value
    FROM mart.stock_figure AS figure
    WHERE figure.stat_date = :day
)

SELECT
    division.division_code,
    measure.measure,
    'all' AS channel,
    jsonb_build_object('value', shown.value) AS shown,
    jsonb_build_object('value', nullif(anew.value, 0)) AS anew
FROM shown
FULL JOIN anew USING (division_id, cell_id)
JOIN core.division USING (division_id)
JOIN core.cell USING (cell_id)
JOIN core.measure USING (measure_id)
WHERE shown.value IS DISTINCT FROM nullif(anew.value, 0)
ORDER BY 1, 2
LIMIT 100
