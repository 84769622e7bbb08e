-- Divisions of today by the beginning of their code (a word of digits) or a part of their name. above: each word stands in
-- the name of one that is above. own_id: the viewer's own division, or null. Paths are looked up for what is shown, or for
-- what lies below the first word of `above`.
WITH RECURSIVE own AS (
    SELECT CAST(:own_id AS integer) AS division_id
    WHERE CAST(:own_id AS integer) IS NOT NULL
    UNION ALL
    SELECT place.division_id
    FROM own
    JOIN mart.division AS place ON place.parent_id = own.division_id
    WHERE place.valid_to = 'infinity'
),

below AS (
    SELECT place.division_id
    FROM mart.division AS place
    WHERE cardinality(CAST(:above AS text[])) > 0 AND place.valid_to = 'infinity'
        AND strpos(place.division_name, (CAST(:above AS text[]))[1]) > 0
    UNION
    SELECT place.division_id
    FROM below
    JOIN mart.division AS place ON place.parent_id = below.division_id
    WHERE place.valid_to = 'infinity'
),

matching AS (
    SELECT place.division_id
    FROM mart.division AS place
    WHERE CAST(:word AS text) !~ '^[0-9]+$' AND place.valid_to = 'infinity' AND strpos(place.division_name, :word) > 0
    UNION ALL
    SELECT place.division_id
    FROM mart.division AS place
    WHERE CAST(:word AS text) ~ '^[0-9]{1,12}$' AND place.valid_to = 'infinity'
        AND place.division_code BETWEEN rpad(:word, 12, '0') AND rpad(:word, 12, '9')
),

found AS MATERIALIZED (
    SELECT
        place.division_id, place.division_code, place.division_name, place.level, place.depth, place.parent_code,
        place.parent_id, strpos(place.division_name, :word) <> 1 AS is_inside
    FROM mart.division AS place
    JOIN matching ON matching.division_id = place.division_id
    WHERE place.valid_to = 'infinity'
        AND (CAST(:own_id AS integer) IS NULL OR place.division_id IN (SELECT own.division_id FROM own))
        AND (cardinality(CAST(:above AS text[])) = 0 OR place.division_id IN (SELECT below.division_id FROM below))
    ORDER BY place.depth, is_inside, place.division_code
    LIMIT CASE WHEN cardinality(CAST(:above AS text[])) = 0 THEN CAST(:limit AS bigint) END
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
