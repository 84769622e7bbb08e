-- The day's gated batches are loaded; what was staged for them is gone; the day, or the month of stocks, waits for its
-- roll-up, unless its month is closed.
WITH done AS (
    UPDATE landing.batch
    SET state = 'loaded'
    WHERE batch.stat_date = :day AND batch.dataset = :dataset AND batch.state = 'gated'
    RETURNING batch.batch_id
),

waiting AS (
    INSERT INTO mart.daily_rollup (stat_date, loaded_at)
    SELECT :day, :known_at
    WHERE EXISTS (SELECT FROM done) AND NOT :is_closed AND CAST(:dataset AS text) = 'daily'
    ON CONFLICT (stat_date) DO UPDATE SET loaded_at = excluded.loaded_at
),

waiting_month AS (
    INSERT INTO mart.stock_rollup (stat_date, loaded_at)
    SELECT :day, :known_at
    WHERE EXISTS (SELECT FROM done) AND NOT :is_closed AND CAST(:dataset AS text) = 'stocks'
    ON CONFLICT (stat_date) DO UPDATE SET loaded_at = excluded.loaded_at
)

DELETE FROM landing.staged_submission USING done WHERE staged_submission.batch_id = done.batch_id
