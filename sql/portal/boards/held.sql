-- A page of the rows of a day that were held back, as they came; undecided ones first. A unit that nobody knows is shown to
-- those who see all of its platform's area.
WITH page AS MATERIALIZED (
    SELECT held.*, count(*) OVER () AS rows_total
    FROM mart.quarantined_row AS held
    WHERE held.stat_date = :day
        AND (CAST(:codes AS text[]) IS NULL OR held.unit_code = ANY(:codes) OR held.platform = ANY(:platforms))
        AND (CAST(:reason AS text) IS NULL OR held.reason_code = :reason)
        AND (CAST(:platform AS text) IS NULL OR held.platform = :platform)
    ORDER BY held.state <> 'held', held.quarantine_id
    LIMIT :limit OFFSET :offset
)

SELECT
    page.quarantine_id, page.unit_code, place.division_name AS unit_name, page.platform, page.dataset, page.source_name,
    page.batch_id, page.row_number, row.place, page.reason_code, page.reason, page.state, row.raw, row.action,
    row.decided_by, row.decided_because, row.decided_at, page.rows_total
FROM page
JOIN mart.held_row AS row ON row.quarantine_id = page.quarantine_id
LEFT JOIN mart.division AS place
    ON place.division_code = page.unit_code AND place.valid_from <= page.stat_date AND page.stat_date < place.valid_to
ORDER BY page.state <> 'held', page.quarantine_id
