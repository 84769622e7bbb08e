INSERT INTO quality.alert_round (
    dataset, stat_date, round, round_at, last_run_at, is_done, units_missing, units_out, units_waiting
)
VALUES (
    :dataset, :stat_date, :round, :round_at, :last_run_at, :is_done, :units_missing, :units_out, :units_waiting
)
ON CONFLICT (dataset, stat_date, round, round_at) DO UPDATE
SET
    last_run_at = excluded.last_run_at, is_done = excluded.is_done, units_missing = excluded.units_missing,
    units_out = excluded.units_out, units_waiting = excluded.units_waiting
