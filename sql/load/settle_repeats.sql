-- Rows that are held and stood in the quarantine before, sent by the same platform in the same revision: each is decided
-- once. What was decided of the earlier one holds for the later; where nothing was, the later one waits in its place.
WITH repeat AS (
    SELECT DISTINCT ON (later.quarantine_id)
        later.quarantine_id AS later_id, later.batch_id AS later_batch_id, earlier.quarantine_id AS earlier_id,
        earlier.state
    FROM quality.quarantine AS later
    JOIN landing.batch ON batch.batch_id = later.batch_id
    JOIN quality.quarantine AS earlier
        ON earlier.stat_date = :day AND earlier.unit_code = later.unit_code
        AND earlier.reason_code = later.reason_code AND earlier.raw = later.raw AND earlier.batch_id <> later.batch_id
    JOIN landing.batch AS origin ON origin.batch_id = earlier.batch_id AND origin.platform_id = batch.platform_id
    WHERE later.stat_date = :day AND later.state = 'held' AND later.reason_code <> 'period_locked'
        AND batch.state = 'gated' AND batch.kind <> 'release' AND batch.dataset = :dataset
        AND origin.state = 'loaded' AND origin.dataset = :dataset
    ORDER BY later.quarantine_id, earlier.state = 'held', earlier.quarantine_id DESC
),

-- Of the pair, the one that is settled now, and how.
settled AS (
    SELECT DISTINCT ON (quarantine_id) quarantine_id, state, reason, batch_id
    FROM (
        SELECT repeat.later_id, repeat.state, format('与第 %s 行相同，按其处理', repeat.earlier_id), last.batch_id
        FROM repeat
        LEFT JOIN LATERAL (
            SELECT decision.batch_id
            FROM quality.decision
            WHERE decision.quarantine_id = repeat.earlier_id
            ORDER BY decision.decided_at DESC
            LIMIT 1
        ) AS last ON true
        WHERE repeat.state <> 'held'
        UNION ALL
        SELECT repeat.earlier_id, 'corrected', format('再次报送，见第 %s 行', repeat.later_id), repeat.later_batch_id
        FROM repeat
        WHERE repeat.state = 'held'
    ) AS each (quarantine_id, state, reason, batch_id)
    ORDER BY quarantine_id
),

marked AS (
    UPDATE quality.quarantine
    SET state = settled.state
    FROM settled
    WHERE quarantine.quarantine_id = settled.quarantine_id
)

INSERT INTO quality.decision (quarantine_id, action, decided_by, reason, batch_id, decided_at)
SELECT settled.quarantine_id, settled.state, '系统', settled.reason, settled.batch_id, :known_at
FROM settled
