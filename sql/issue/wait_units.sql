-- The units of which something about the days became known after a moment wait to be rolled up again.
UPDATE mart.daily_rollup AS rollup
SET units_waiting = coalesce((
    SELECT array_agg(DISTINCT changed.unit_id)
    FROM (
        SELECT submission.unit_id
        FROM core.submission
        WHERE submission.stat_date = rollup.stat_date AND submission.dataset = 'daily'
            AND (
                submission.known_from > :moment
                OR (submission.known_to > :moment AND submission.known_to < 'infinity')
            )
        UNION ALL
        SELECT division.division_id
        FROM quality.quarantine
        JOIN core.division ON division.division_code = quarantine.unit_code
        WHERE quarantine.stat_date = rollup.stat_date AND (
            quarantine.known_at > :moment OR EXISTS (
                SELECT FROM quality.decision
                WHERE decision.quarantine_id = quarantine.quarantine_id AND decision.decided_at > :moment
            )
        )
        UNION ALL
        SELECT division.division_id
        FROM quality.flag
        JOIN core.division ON division.division_code = flag.unit_code
        WHERE flag.stat_date = rollup.stat_date AND flag.check_code = 'nil_held' AND flag.known_at > :moment
    ) AS changed
), '{}')
WHERE rollup.stat_date = ANY(:days)
