-- A release says of which whole file its rows are, so that a later edition of it counts for them too. It has no edition of
-- its own. Rows that are let go at another unit or day than they were sent for are of no file and no revision: moved.
ALTER TABLE landing.batch
    DROP CONSTRAINT batch_kind_check,
    ADD CONSTRAINT batch_kind_check CHECK (kind IN ('sent', 'release', 'moved', 'reopened'));
ALTER TABLE landing.batch DROP CONSTRAINT batch_check1;
ALTER TABLE landing.batch ADD CHECK (scope_revision IS NULL OR scope IS NOT NULL);

UPDATE landing.batch
SET scope = released.scope
FROM (
    SELECT decision.batch_id, min(origin.scope) AS scope
    FROM quality.decision
    JOIN quality.quarantine USING (quarantine_id)
    JOIN landing.batch AS origin ON origin.batch_id = quarantine.batch_id
    WHERE decision.action = 'released'
    GROUP BY decision.batch_id
    HAVING count(DISTINCT origin.scope) = 1 AND count(*) = count(origin.scope)
) AS released
WHERE batch.batch_id = released.batch_id AND batch.kind = 'release';
