-- When the watch last ran a round, and the oldest message that should have gone out by now and has not.
SELECT
    (SELECT extract(epoch FROM max(round.last_run_at))::float8 FROM quality.alert_round AS round) AS round_at,
    (
        SELECT extract(epoch FROM :moment - min(alert.not_before))::float8
        FROM quality.alert
        WHERE alert.state = 'pending' AND alert.not_before <= :moment
    ) AS overdue_seconds
