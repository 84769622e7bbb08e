-- Units of a division and those directly below it (depth 1), or all below it, on a day: those that have not reported first.
WITH unit AS (
    SELECT place.division_id, place.level
    FROM mart.division AS place
    WHERE :depth = 1 AND (place.division_id = :division_id OR place.parent_id = :division_id)
        AND place.valid_from <= :day AND :day < place.valid_to
    UNION ALL
    SELECT below.division_id, place.level
    FROM mart.division_below(:division_id, :day) AS below
    JOIN mart.division AS place
        ON place.division_id = below.division_id AND place.valid_from <= :day AND :day < place.valid_to
    WHERE :depth <> 1
)

SELECT
    status.unit_code AS division_code,
    status.unit_name AS division_name,
    status.level,
    status.parent_code,
    coalesce(status.status, 'waiting') AS status,
    status.due_at,
    status.cutoff_at,
    status.received_at,
    status.revision,
    status.is_nil,
    status.is_partial,
    status.is_restated,
    count(*) OVER () AS rows_total
FROM mart.submission_status_shown(:day, :dataset, ARRAY(
    SELECT unit.division_id FROM unit WHERE CAST(:level AS text) IS NULL OR unit.level = :level
)) AS status
WHERE CAST(:statuses AS text[]) IS NULL OR coalesce(status.status, 'waiting') = ANY(:statuses)
ORDER BY array_position(
    ARRAY['missing', 'rejected', 'waiting', 'late_after_cutoff', 'late', 'on_time'], coalesce(status.status, 'waiting')
), status.unit_code
LIMIT :limit OFFSET :offset
