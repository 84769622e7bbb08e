-- As the period was before it was shown.
UPDATE mart.period
SET
    totalled_at = CASE WHEN :is_totalled THEN totalled_at END,
    indicated_at = NULL, satisfied_at = NULL, evaluated_at = NULL, catalog_digest = NULL
WHERE period_id = :period_id
