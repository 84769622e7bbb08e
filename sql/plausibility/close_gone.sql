-- Flags of the day, or of the units judged, that do not hold any longer.
UPDATE quality.flag
SET
    state = 'closed',
    closed_by = 'system',
    closed_at = :moment,
    closing_reason = '按现有数据重新核算，所提问题已不存在（数据已更正、撤销，或可比历史已变动）'
WHERE flag.stat_date = :day AND flag.score IS NOT NULL AND flag.state <> 'closed'
    AND (CAST(:codes AS text[]) IS NULL OR flag.unit_code = ANY(:codes))
    AND NOT EXISTS (
        SELECT
        FROM jsonb_to_recordset(CAST(:findings AS jsonb)) AS found (
            check_code text, unit_code text, measure text, channel text, value bigint
        )
        WHERE (found.check_code, found.unit_code) = (flag.check_code, flag.unit_code)
            AND found.measure IS NOT DISTINCT FROM flag.measure
            AND found.channel IS NOT DISTINCT FROM flag.channel
            AND found.value IS NOT DISTINCT FROM flag.value
    )
