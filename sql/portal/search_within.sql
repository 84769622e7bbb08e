-- As search, of divisions in the names above which each word of `above` stands. These names are put together from the top
-- down, once for the few thousand that have others below them; villages are the lowest.
WITH RECURSIVE upper AS MATERIALIZED (
    SELECT place.division_id, place.division_code, place.division_name, place.parent_id
    FROM mart.division AS place
    WHERE place.valid_to = 'infinity' AND place.depth < 5
),

named (division_id, division_code, path_names) AS (
    SELECT upper.division_id, upper.division_code, upper.division_name
    FROM upper
    WHERE upper.parent_id IS NULL OR upper.parent_id NOT IN (SELECT higher.division_id FROM upper AS higher)
    UNION ALL
    SELECT upper.division_id, upper.division_code, named.path_names || ' ' || upper.division_name
    FROM named
    JOIN upper ON upper.parent_id = named.division_id
),

matching AS (
    SELECT
        place.division_id, place.division_code, place.division_name, place.level, place.depth, place.parent_id,
        strpos(place.division_name, :word) > 1 AS is_inside
    FROM mart.division AS place
    WHERE CAST(:word AS text) !~ '^[0-9]{1,12}$' AND place.valid_to = 'infinity'
        AND strpos(place.division_name, :word) > 0
    UNION ALL
    SELECT
        place.division_id, place.division_code, place.division_name, place.level, place.depth, place.parent_id, false
    FROM mart.division AS place
    WHERE CAST(:word AS text) ~ '^[0-9]{1,12}$' AND place.valid_to = 'infinity'
        AND place.division_code BETWEEN rpad(:word, 12, '0') AND rpad(:word, 12, '9')
)

SELECT
    matching.division_code, matching.division_name, matching.level, named.division_code AS parent_code,
    coalesce(named.path_names, '') AS path_names
FROM matching
LEFT JOIN named ON named.division_id = matching.parent_id
WHERE NOT EXISTS (
        SELECT FROM unnest(CAST(:above AS text[])) AS wanted (word)
        WHERE strpos(coalesce(named.path_names, ''), wanted.word) = 0
    )
    AND (
        CAST(:own_id AS integer) IS NULL
        OR matching.division_id IN (
            SELECT below.division_id FROM mart.division_below(CAST(:own_id AS integer), current_date) AS below
        )
    )
ORDER BY matching.depth, matching.is_inside, matching.division_code
LIMIT :limit
