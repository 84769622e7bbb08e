-- Takes the period, so that no other evaluation of it runs beside this one. The moment is the database's clock.
UPDATE mart.period
SET evaluated_at = clock_timestamp()
WHERE period = :period AND indicated_at IS NOT NULL
RETURNING period_id, evaluated_at
