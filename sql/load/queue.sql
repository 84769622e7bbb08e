-- The staged submissions of the day in the order in which they arrived: round 1 holds the first of every unit, round 2 the
-- next, so that what several platforms or revisions say of a unit before one load is taken one after the other. Figures
-- stay where they are staged. is_moved: let go at another unit or day than it was sent for, it belongs to no revision.
CREATE TEMPORARY TABLE queue ON COMMIT DROP AS
WITH sent AS (
    SELECT
        batch.platform_id,
        staged.unit_id,
        staged.revision,
        staged.sent_number,
        staged.received_at,
        staged.is_rejected,
        false AS is_withdrawn,
        cardinality(staged.cells) AS rows_sent,
        batch.kind IN ('release', 'moved') AS is_release,
        batch.kind = 'moved' AS is_moved,
        staged.batch_id,
        batch.scope
    FROM landing.staged_submission AS staged
    JOIN landing.batch USING (batch_id)
    WHERE batch.stat_date = :day AND batch.dataset = :dataset AND batch.state = 'gated'
),

-- Whole files of which several editions have come.
edited AS (
    SELECT batch.platform_id, batch.scope
    FROM landing.batch
    WHERE batch.stat_date = :day AND batch.dataset = :dataset AND batch.scope IS NOT NULL
    GROUP BY batch.platform_id, batch.scope
    HAVING count(*) > 1
),

-- A whole file of which something is taken withdraws the units that an earlier edition of it had, whatever was merged into
-- them since, and that it leaves out.
listed AS (
    SELECT sent.unit_id, sent.platform_id, sent.scope
    FROM sent
    JOIN edited USING (platform_id, scope)
    UNION
    SELECT head.unit_id, head.platform_id, batch.scope
    FROM edited
    JOIN landing.batch USING (platform_id, scope)
    JOIN core.submission AS version ON version.batch_id = batch.batch_id
    JOIN core.submission AS head ON head.unit_id = version.unit_id AND head.platform_id = version.platform_id
    WHERE version.stat_date = :day AND version.dataset = :dataset
        AND head.stat_date = :day AND head.dataset = :dataset AND head.known_to = 'infinity' AND NOT head.is_withdrawn
),

withdrawn AS (
    SELECT
        batch.platform_id,
        listed.unit_id,
        batch.scope_revision AS revision,
        batch.received_at,
        batch.batch_id,
        batch.scope
    FROM sent_batch AS batch
    JOIN listed ON listed.platform_id = batch.platform_id AND listed.scope = batch.scope
    WHERE batch.scope_revision IS NOT NULL AND batch.is_taken
        AND NOT EXISTS (SELECT FROM sent WHERE sent.batch_id = batch.batch_id AND sent.unit_id = listed.unit_id)
),

arrived AS (
    SELECT * FROM sent
    UNION ALL
    SELECT
        withdrawn.platform_id, withdrawn.unit_id, withdrawn.revision, 0, withdrawn.received_at, false, true, 0,
        false, false, withdrawn.batch_id, withdrawn.scope
    FROM withdrawn
)

SELECT
    arrived.*,
    row_number() OVER (
        PARTITION BY arrived.unit_id
        ORDER BY
            arrived.received_at, platform.platform, arrived.revision, arrived.batch_id, arrived.sent_number
    ) AS round
FROM arrived
JOIN core.platform USING (platform_id);
