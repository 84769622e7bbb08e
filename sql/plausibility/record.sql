-- Findings become flags. A flag that the system closed and that holds again is opened again; nothing else of an existing
-- flag changes.
INSERT INTO quality.flag (
    batch_id, unit_code, stat_date, check_code, message, level, measure, channel, value, effect, score, assignee,
    due_date
)
SELECT
    finding_batch.batch_id,
    finding.unit_code,
    :day,
    finding.check_code,
    finding.message,
    finding.level,
    finding.measure,
    finding.channel,
    finding.value,
    finding.effect,
    finding.score,
    finding.assignee,
    :due_date
FROM finding
LEFT JOIN finding_batch
    ON finding_batch.unit_code = finding.unit_code
    AND (finding_batch.measure, finding_batch.channel) IS NOT DISTINCT FROM (finding.measure, finding.channel)
ON CONFLICT (stat_date, unit_code, check_code, measure, channel, value) WHERE score IS NOT NULL DO UPDATE
SET
    state = CASE WHEN flag.explanation IS NULL THEN 'open' ELSE 'explained' END,
    closed_by = NULL,
    closed_at = NULL,
    closing_reason = NULL
WHERE flag.state = 'closed' AND flag.closed_by = 'system'
