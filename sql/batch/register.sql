-- The same bytes of the same platform and day again are the same batch; one that is loaded stays as it is.
INSERT INTO landing.batch (
    platform_id, dataset, stat_date, source_name, kind, sha256, part_sizes, received_at, pulled_at, state, message
)
VALUES (
    :platform_id, :dataset, :stat_date, :source_name, :kind, :sha256, :part_sizes, :received_at, :pulled_at, :state, :message
)
ON CONFLICT (platform_id, dataset, stat_date, source_name, sha256) DO UPDATE
SET
    state = CASE WHEN batch.state IN ('loaded', 'gated') THEN batch.state ELSE excluded.state END,
    message = CASE WHEN batch.state IN ('loaded', 'gated') THEN batch.message ELSE excluded.message END
RETURNING batch_id, state
