-- Units whose part exceeds whole and opening backlog over the year so far, and about which no other day asks already.
WITH year_sum AS (
    SELECT figure.unit_id, figure.measure_id, sum(figure.value)::bigint AS value
    FROM (
        SELECT month_figure.unit_id, month_figure.measure_id, month_figure.through AS value
        FROM month_figure
        UNION ALL
        SELECT month_sum.unit_id, month_sum.measure_id, month_sum.value
        FROM asked
        JOIN quality.month_sum USING (unit_id)
        WHERE month_sum.month >= :year AND month_sum.month < :month
    ) AS figure
    GROUP BY figure.unit_id, figure.measure_id
)

SELECT
    pair.check_code,
    division.division_code AS unit_code,
    period.level,
    pair.part AS measure,
    part.value AS part_value,
    coalesce(whole.value, 0) AS whole_value,
    coalesce(backlog.value, 0) AS backlog_value
FROM jsonb_to_recordset(CAST(:pairs AS jsonb)) AS pair (check_code text, part text, whole text)
JOIN core.measure AS part_measure ON part_measure.measure = pair.part
JOIN core.measure AS whole_measure ON whole_measure.measure = pair.whole
JOIN year_sum AS part ON part.measure_id = part_measure.measure_id
JOIN core.division ON division.division_id = part.unit_id
JOIN core.division_period AS period
    ON period.division_id = part.unit_id AND period.valid_from <= :day AND :day < period.valid_to
LEFT JOIN year_sum AS whole ON whole.unit_id = part.unit_id AND whole.measure_id = whole_measure.measure_id
LEFT JOIN jsonb_to_recordset(CAST(:backlogs AS jsonb)) AS backlog (check_code text, unit_code text, value bigint)
    ON backlog.check_code = pair.check_code AND backlog.unit_code = division.division_code
WHERE part.value > coalesce(whole.value, 0) + coalesce(backlog.value, 0)
    AND NOT EXISTS (
        SELECT FROM quality.flag
        WHERE flag.unit_code = division.division_code AND flag.check_code = pair.check_code
            AND flag.stat_date >= :year AND flag.stat_date < CAST(:year AS date) + interval '1 year'
            AND flag.stat_date <> :day AND flag.score IS NOT NULL AND flag.state <> 'closed'
    )
ORDER BY division.division_code, pair.check_code
