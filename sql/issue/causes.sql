-- That, per division that it was summed into; '' stands for all together.
WITH RECURSIVE upward AS (
    SELECT unit.unit_id, unit.stat_date, unit.unit_id AS division_id
    FROM (SELECT DISTINCT changed.unit_id, changed.stat_date FROM changed) AS unit
    UNION ALL
    SELECT upward.unit_id, upward.stat_date, place.parent_id
    FROM upward
    JOIN core.division_period AS place
        ON place.division_id = upward.division_id
        AND place.valid_from <= upward.stat_date AND upward.stat_date < place.valid_to
    WHERE place.parent_id IS NOT NULL
)

SELECT
    division.division_code,
    changed.kind,
    count(*) AS submissions,
    min(changed.stat_date) AS first_day,
    max(changed.stat_date) AS last_day,
    array_agg(DISTINCT changed.platform ORDER BY changed.platform) AS platforms
FROM upward
JOIN changed ON changed.unit_id = upward.unit_id AND changed.stat_date = upward.stat_date
JOIN core.division ON division.division_id = upward.division_id
WHERE division.division_code = ANY(:codes)
GROUP BY division.division_code, changed.kind
UNION ALL
SELECT
    '', changed.kind, count(*), min(changed.stat_date), max(changed.stat_date),
    array_agg(DISTINCT changed.platform ORDER BY changed.platform)
FROM changed
GROUP BY changed.kind
ORDER BY 1, 2
