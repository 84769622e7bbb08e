-- Rows that are held and stand in the quarantine more than once, sent by the same platform in the same revision: what a
-- person has decided of one holds for all; where nobody has, those of the newest batch wait, and the others do not. Not
-- where what was sent is hidden: two persons' data look the same there.
WITH known AS MATERIALIZED (
    SELECT
        quarantine.quarantine_id, quarantine.state, quarantine.batch_id, batch.platform_id,
        batch.state = 'gated' AND quarantine.state = 'held' AS is_fresh,
        md5(concat_ws('|', quarantine.unit_code, quarantine.reason_code, quarantine.raw::text)) AS content
    FROM quality.quarantine
    JOIN landing.batch USING (batch_id)
    WHERE quarantine.stat_date = :day AND quarantine.reason_code NOT IN ('period_locked', 'personal')
        AND batch.dataset = :dataset AND batch.kind IN ('sent', 'reopened') AND batch.state IN ('gated', 'loaded')
),

alike AS (
    SELECT
        known.quarantine_id, known.state, known.batch_id,
        bool_or(known.is_fresh) OVER same AS is_met,
        max(known.batch_id) OVER same AS newest_batch_id,
        max(known.quarantine_id) FILTER (WHERE known.state IN ('released', 'discarded')) OVER same AS decided_id,
        max(known.quarantine_id) OVER same AS newest_id
    FROM known
    WINDOW same AS (PARTITION BY known.platform_id, known.content)
),

settled AS (
    SELECT
        alike.quarantine_id,
        coalesce(decided.state, 'corrected') AS state,
        CASE
            WHEN alike.decided_id IS NULL THEN format('再次报送，见第 %s 行', alike.newest_id)
            ELSE format('与第 %s 行相同，按其处理', alike.decided_id)
        END AS reason,
        CASE WHEN alike.decided_id IS NULL THEN alike.newest_batch_id ELSE last.batch_id END AS batch_id
    FROM alike
    LEFT JOIN quality.quarantine AS decided ON decided.quarantine_id = alike.decided_id
    LEFT JOIN (
        SELECT DISTINCT ON (decision.quarantine_id) decision.quarantine_id, decision.batch_id
        FROM quality.decision
        WHERE decision.quarantine_id IN (SELECT alike.decided_id FROM alike)
        ORDER BY decision.quarantine_id, decision.decided_at DESC
    ) AS last ON last.quarantine_id = alike.decided_id
    WHERE alike.is_met AND alike.state = 'held'
        AND (alike.decided_id IS NOT NULL OR alike.batch_id < alike.newest_batch_id)
),

marked AS (
    UPDATE quality.quarantine
    SET state = settled.state
    FROM settled
    WHERE quarantine.quarantine_id = settled.quarantine_id AND quarantine.state = 'held'
    RETURNING quarantine.quarantine_id, settled.state, settled.reason, settled.batch_id
)

INSERT INTO quality.decision (quarantine_id, action, decided_by, reason, batch_id, decided_at)
SELECT marked.quarantine_id, marked.state, '系统', marked.reason, marked.batch_id, :known_at
FROM marked
