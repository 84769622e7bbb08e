-- Questions about units of the table in a period that are not closed. A flag without a measure is about a submission.
SELECT flag.unit_code, flag.stat_date, flag.check_code, flag.measure, flag.channel, flag.message, flag.state, flag.explanation
FROM quality.flag
WHERE flag.stat_date BETWEEN :first_day AND :last_day AND flag.state <> 'closed' AND flag.unit_code IN (SELECT unnest(CAST(:codes AS text[])))
ORDER BY flag.check_code, flag.unit_code, flag.stat_date, flag.measure, flag.channel, flag.message
