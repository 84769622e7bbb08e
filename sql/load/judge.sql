-- What becomes of each submission of this round, by the newest revision that the same platform has in for the unit. A
-- release of the revision that is in is merged into it.
CREATE TEMPORARY TABLE verdict ON COMMIT DROP AS
SELECT
    queue.*,
    head.submission_id AS head_id,
    queue.is_release AND queue.revision = head.revision AS is_merge,
    CASE
        WHEN queue.revision < greatest(head.revision, edition.revision) THEN 'superseded'
        WHEN queue.is_rejected THEN 'rejected'
        WHEN queue.is_release AND head.is_withdrawn THEN 'superseded'
        WHEN queue.revision = head.revision AND NOT queue.is_release THEN 'same'
        ELSE 'accepted'
    END AS verdict
FROM queue
LEFT JOIN core.submission AS head
    ON head.stat_date = :day AND head.dataset = :dataset AND head.unit_id = queue.unit_id
    AND head.platform_id = queue.platform_id AND head.known_to = 'infinity'
LEFT JOIN (
    SELECT batch.platform_id, batch.scope, max(batch.scope_revision) AS revision
    FROM landing.batch
    WHERE batch.stat_date = :day AND batch.dataset = :dataset AND batch.state = 'loaded' AND batch.scope IS NOT NULL
    GROUP BY batch.platform_id, batch.scope
) AS edition ON edition.platform_id = queue.platform_id AND edition.scope = queue.scope
WHERE queue.round = :round;
