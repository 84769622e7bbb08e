UPDATE mart.delivery
SET
    state = :state,
    attempts = attempts + :attempts,
    tried_at = clock_timestamp(),
    last_error = :error,
    receipt = CAST(:receipt AS jsonb),
    told_at = CASE WHEN :is_told THEN coalesce(told_at, clock_timestamp()) ELSE told_at END
WHERE delivery_id = :delivery_id
