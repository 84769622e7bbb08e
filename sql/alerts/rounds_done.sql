SELECT ran.dataset, ran.stat_date, ran.round, ran.round_at
FROM quality.alert_round AS ran
WHERE ran.is_done AND ran.round_at > :since
