-- The units of a division itself and directly below it on a day, those that have not reported first.
SELECT
    status.unit_code AS division_code,
    status.unit_name AS division_name,
    status.level,
    status.parent_code,
    status.status,
    status.due_at,
    status.cutoff_at,
    status.received_at,
    status.revision,
    status.is_nil,
    status.is_partial,
    status.is_restated,
    count(*) OVER () AS rows_total
FROM mart.submission_status_shown(:day, 'daily', ARRAY(
    SELECT place.division_id
    FROM mart.division AS place
    WHERE (place.parent_id = :division_id OR place.division_id = :division_id)
        AND place.valid_from <= :day AND :day < place.valid_to
)) AS status
WHERE CAST(:status AS text) IS NULL OR status.status = :status OR :status = 'waiting' AND status.status IS NULL
ORDER BY
    CASE coalesce(status.status, 'waiting')
        WHEN 'missing' THEN 1 WHEN 'rejected' THEN 2 WHEN 'waiting' THEN 3 WHEN 'late_after_cutoff' THEN 4
        WHEN 'late' THEN 5 WHEN 'on_time' THEN 6 ELSE 7
    END,
    status.unit_code
LIMIT :limit OFFSET :offset
