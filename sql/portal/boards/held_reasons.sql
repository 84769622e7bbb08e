-- Rows of a day that were held back, by reason and platform, and what became of them.
SELECT
    held.reason_code,
    held.platform,
    count(*) AS rows,
    count(*) FILTER (WHERE held.state = 'held') AS held,
    count(*) FILTER (WHERE held.state = 'released') AS released,
    count(*) FILTER (WHERE held.state = 'discarded') AS discarded,
    count(*) FILTER (WHERE held.state = 'corrected') AS corrected,
    min(held.reason) AS example
FROM mart.quarantined_row AS held
WHERE held.stat_date = :day
    AND (CAST(:codes AS text[]) IS NULL OR held.unit_code = ANY(:codes) OR held.platform = ANY(:platforms))
GROUP BY held.reason_code, held.platform
ORDER BY held DESC, rows DESC, held.reason_code, held.platform
