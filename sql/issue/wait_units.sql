-- The units of which something about the days became known after a moment wait to be rolled up again.
WITH changed AS (
    SELECT submission.stat_date, submission.unit_id
    FROM core.submission
    WHERE submission.stat_date = ANY(:days) AND submission.dataset = 'daily'
        AND (
            submission.known_from > :moment
            OR (submission.known_to > :moment AND submission.known_to < 'infinity')
        )
    UNION
    SELECT quarantine.stat_date, division.division_id
    FROM quality.quarantine
    JOIN core.division ON division.division_code = quarantine.unit_code
    WHERE quarantine.stat_date = ANY(:days) AND (
        quarantine.known_at > :moment OR EXISTS (
            SELECT FROM quality.decision
            WHERE decision.quarantine_id = quarantine.quarantine_id AND decision.decided_at > :moment
        )
    )
    UNION
    SELECT flag.stat_date, division.division_id
    FROM quality.flag
    JOIN core.division ON division.division_code = flag.unit_code
    WHERE flag.stat_date = ANY(:days) AND flag.check_code = 'nil_held' AND flag.known_at > :moment
),

waiting AS (
    SELECT day.stat_date, coalesce(array_agg(changed.unit_id) FILTER (WHERE changed.unit_id IS NOT NULL), '{}') AS units
    FROM unnest(CAST(:days AS date[])) AS day (stat_date)
    LEFT JOIN changed ON changed.stat_date = day.stat_date
    GROUP BY day.stat_date
)

UPDATE mart.daily_rollup AS rollup
SET units_waiting = waiting.units
FROM waiting
WHERE rollup.stat_date = waiting.stat_date
