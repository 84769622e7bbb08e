-- Rows of a day that were held back, by reason and platform, and what became of them; the first as an example.
WITH reason AS (
    SELECT
        held.reason_code,
        held.platform,
        count(*) AS rows,
        count(*) FILTER (WHERE held.state = 'held') AS held,
        count(*) FILTER (WHERE held.state = 'released') AS released,
        count(*) FILTER (WHERE held.state = 'discarded') AS discarded,
        count(*) FILTER (WHERE held.state = 'corrected') AS corrected,
        min(held.quarantine_id) AS first_id
    FROM mart.quarantined_row AS held
    WHERE held.stat_date = :day
        AND (CAST(:codes AS text[]) IS NULL OR held.unit_code = ANY(:codes) OR held.platform = ANY(:platforms))
    GROUP BY held.reason_code, held.platform
)

SELECT
    reason.reason_code, reason.platform, reason.rows, reason.held, reason.released, reason.discarded, reason.corrected,
    first.reason AS example
FROM reason
JOIN mart.quarantined_row AS first ON first.quarantine_id = reason.first_id
ORDER BY reason.held DESC, reason.rows DESC, reason.reason_code, reason.platform
