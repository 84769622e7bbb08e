-- What becomes of each submission of this round, by the newest revision that the same platform has in for the unit. A
-- release of the revision that is in, or one that was moved, is merged into it. An edition of a whole file that is in
-- stands for the units that it left out, not for those of which it had only rows that are held back.
CREATE TEMPORARY TABLE verdict ON COMMIT DROP AS
WITH later AS MATERIALIZED (
    SELECT batch.batch_id, batch.platform_id, batch.scope, batch.scope_revision AS revision
    FROM landing.batch
    WHERE batch.stat_date = :day AND batch.dataset = :dataset AND batch.state = 'loaded'
        AND EXISTS (
            SELECT FROM queue
            WHERE queue.round = :round AND queue.platform_id = batch.platform_id AND queue.scope = batch.scope
                AND queue.revision < batch.scope_revision
        )
),

-- Those of which something was taken.
edition AS MATERIALIZED (
    SELECT DISTINCT later.batch_id, later.platform_id, later.scope, later.revision
    FROM later
    JOIN core.submission USING (batch_id)
    WHERE submission.stat_date = :day AND submission.dataset = :dataset
)

SELECT
    queue.*,
    head.submission_id AS head_id,
    head.revision AS head_revision,
    CASE WHEN queue.is_moved THEN coalesce(head.revision, 0) ELSE queue.revision END AS as_revision,
    head.submission_id IS NOT NULL AND queue.is_release AND (queue.is_moved OR queue.revision = head.revision)
        AS is_merge,
    CASE
        WHEN NOT queue.is_moved AND queue.revision < head.revision THEN 'superseded'
        WHEN EXISTS (
            SELECT FROM edition
            WHERE edition.platform_id = queue.platform_id AND edition.scope = queue.scope
                AND queue.revision < edition.revision
                AND NOT EXISTS (
                    SELECT FROM quality.quarantine AS held
                    JOIN core.division ON division.division_code = held.unit_code
                    WHERE held.batch_id = edition.batch_id AND division.division_id = queue.unit_id
                )
                AND NOT EXISTS (
                    SELECT FROM quality.flag
                    JOIN core.division ON division.division_code = flag.unit_code
                    WHERE flag.batch_id = edition.batch_id AND division.division_id = queue.unit_id
                        AND flag.check_code = 'nil_held'
                )
        ) THEN 'superseded'
        WHEN queue.is_rejected THEN 'rejected'
        WHEN queue.revision = head.revision AND NOT queue.is_release THEN 'same'
        ELSE 'accepted'
    END AS verdict
FROM queue
LEFT JOIN core.submission AS head
    ON head.stat_date = :day AND head.dataset = :dataset AND head.unit_id = queue.unit_id
    AND head.platform_id = queue.platform_id AND head.known_to = 'infinity'
WHERE queue.round = :round;
