-- The queue: what does most to the published total comes first.
SELECT
    flag.flag_id, flag.stat_date, flag.unit_code, period.division_name AS unit_name, flag.level, flag.check_code,
    flag.measure, flag.channel, flag.value, flag.effect, flag.score, flag.state, flag.assignee, flag.due_date,
    flag.message, flag.explanation, flag.explained_by, flag.closed_by, flag.closing_reason
FROM quality.flag
LEFT JOIN core.division ON division.division_code = flag.unit_code
LEFT JOIN core.division_period AS period
    ON period.division_id = division.division_id
    AND period.valid_from <= flag.stat_date AND flag.stat_date < period.valid_to
WHERE flag.score IS NOT NULL
    AND (CAST(:day AS date) IS NULL OR flag.stat_date = :day)
    AND (CAST(:state AS text) IS NULL OR flag.state = :state)
    AND (:state IS NOT NULL OR flag.state <> 'closed')
ORDER BY flag.score DESC, flag.flag_id
