-- Submissions of days on which, by the new list, their unit is not in force: they are in no total from now on.
INSERT INTO quality.flag (batch_id, unit_code, stat_date, check_code, message)
SELECT DISTINCT
    submission.batch_id, division.division_code, submission.stat_date, 'unit_closed',
    '按新的区划，该单位当日已撤销，其数据不再计入汇总'
FROM core.submission
JOIN core.division ON division.division_id = submission.unit_id
WHERE submission.stat_date >= CAST(:valid_from AS date) AND submission.known_to = 'infinity'
    AND NOT submission.is_withdrawn AND NOT EXISTS (
        SELECT FROM core.division_period AS period
        WHERE period.division_id = submission.unit_id
            AND period.valid_from <= submission.stat_date AND submission.stat_date < period.valid_to
    )
ON CONFLICT DO NOTHING
