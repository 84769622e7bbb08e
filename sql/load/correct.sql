-- Held rows that the sender has settled: a later revision of the unit is in, or the same of which nothing was taken before,
-- or a later edition of the whole file, unless rows of the unit are held back in that one too; of a workbook, whose units
-- stand for themselves, only the rows that name no known unit.
WITH settled AS (
    SELECT DISTINCT ON (quarantine.quarantine_id) quarantine.quarantine_id, later.batch_id
    FROM quality.quarantine
    JOIN landing.batch ON batch.batch_id = quarantine.batch_id
    JOIN LATERAL (
        SELECT resent.batch_id
        FROM resent
        WHERE resent.platform_id = batch.platform_id AND resent.unit_code = quarantine.unit_code
            AND resent.revision >= CAST(quarantine.raw ->> 'revision' AS bigint) AND batch.kind <> 'moved'
        UNION ALL
        SELECT edition.batch_id
        FROM sent_batch AS edition
        WHERE edition.platform_id = batch.platform_id AND edition.scope = batch.scope
            AND edition.scope_revision > batch.scope_revision AND edition.is_taken
            AND NOT EXISTS (
                SELECT FROM quality.quarantine AS again
                WHERE again.batch_id = edition.batch_id AND again.unit_code = quarantine.unit_code
                    AND again.unit_code IN (SELECT division.division_code FROM core.division)
            )
        UNION ALL
        SELECT edition.batch_id
        FROM sent_batch AS edition
        WHERE edition.platform_id = batch.platform_id AND edition.workbook <> ''
            AND batch.source_name LIKE '%.xlsx'
            AND edition.workbook = regexp_replace(batch.source_name, '(_r[0-9]+)?\.xlsx$', '')
            AND edition.batch_id <> batch.batch_id AND edition.received_at > batch.received_at
            AND quarantine.unit_code NOT IN (SELECT division.division_code FROM core.division)
    ) AS later ON true
    WHERE quarantine.stat_date = :day AND quarantine.state = 'held' AND quarantine.reason_code <> 'period_locked'
        AND batch.dataset = :dataset AND batch.state = 'loaded'
    ORDER BY quarantine.quarantine_id, later.batch_id
),

marked AS (
    UPDATE quality.quarantine
    SET state = 'corrected'
    FROM settled
    WHERE quarantine.quarantine_id = settled.quarantine_id AND quarantine.state = 'held'
    RETURNING quarantine.quarantine_id, settled.batch_id
)

INSERT INTO quality.decision (quarantine_id, action, decided_by, reason, batch_id, decided_at)
SELECT marked.quarantine_id, 'corrected', '系统', '报送单位已重新报送', marked.batch_id, :known_at
FROM marked
