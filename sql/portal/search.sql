-- Divisions of today by the beginning of their code or a part of their name. above: each word stands in the name of one
-- that is above. own_id: the viewer's own division, or null.
WITH RECURSIVE own AS (
    SELECT CAST(:own_id AS integer) AS division_id
    WHERE CAST(:own_id AS integer) IS NOT NULL
    UNION ALL
    SELECT place.division_id
    FROM own
    JOIN mart.division AS place ON place.parent_id = own.division_id
    WHERE place.valid_to = 'infinity'
),

found AS (
    SELECT
        place.division_id, place.division_code, place.division_name, place.level, place.depth, place.parent_code,
        place.parent_id, strpos(place.division_name, :word) <> 1 AS is_inside
    FROM mart.division AS place
    WHERE place.valid_to = 'infinity'
        AND (strpos(place.division_name, :word) > 0 OR starts_with(place.division_code, :word))
        AND (CAST(:own_id AS integer) IS NULL OR place.division_id IN (SELECT own.division_id FROM own))
)

SELECT
    found.division_code,
    found.division_name,
    found.level,
    found.parent_code,
    upward.names AS path_names
FROM found
CROSS JOIN LATERAL (
    WITH RECURSIVE above AS (
        SELECT place.parent_id, place.division_name, place.depth
        FROM mart.division AS place
        WHERE place.division_id = found.parent_id AND place.valid_to = 'infinity'
        UNION ALL
        SELECT place.parent_id, place.division_name, place.depth
        FROM above
        JOIN mart.division AS place ON place.division_id = above.parent_id
        WHERE place.valid_to = 'infinity'
    )

    SELECT coalesce(string_agg(above.division_name, ' ' ORDER BY above.depth), '') AS names FROM above
) AS upward
WHERE NOT EXISTS (
    SELECT FROM unnest(CAST(:above AS text[])) AS wanted (word) WHERE strpos(upward.names, wanted.word) = 0
)
ORDER BY found.depth, found.is_inside, found.division_code
LIMIT :limit
