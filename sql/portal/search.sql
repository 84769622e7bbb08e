-- Divisions of today by the beginning of their code (a word of digits) or a part of their name. above: each word stands in
-- the name of one that is above. own_id: the viewer's own division, or null. The first are taken before what is above
-- them is looked up: 村 stands in most names. There are five levels, so at most four above.
WITH matching AS (
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
),

-- What lies below the viewer's own division, and below those that the first word of `above` may mean.
own AS MATERIALIZED (
    SELECT below.division_id FROM mart.division_below(CAST(:own_id AS integer), current_date) AS below
),

meant AS MATERIALIZED (
    SELECT below.division_id
    FROM (
        SELECT place.division_id
        FROM mart.division AS place
        WHERE place.valid_to = 'infinity' AND place.depth < 5
            AND strpos(place.division_name, (CAST(:above AS text[]))[1]) > 0
    ) AS seed
    CROSS JOIN LATERAL mart.division_below(seed.division_id, current_date) AS below
),

candidate AS MATERIALIZED (
    SELECT matching.*
    FROM matching
    WHERE (CAST(:own_id AS integer) IS NULL OR matching.division_id IN (SELECT own.division_id FROM own))
        AND (cardinality(CAST(:above AS text[])) = 0 OR matching.division_id IN (SELECT meant.division_id FROM meant))
    ORDER BY matching.depth, matching.is_inside, matching.division_code
    LIMIT CASE WHEN cardinality(CAST(:above AS text[])) = 0 THEN CAST(:limit AS bigint) END
),

found AS (
    SELECT
        candidate.*,
        first.division_code AS parent_code,
        concat_ws(' ', fourth.division_name, third.division_name, second.division_name, first.division_name)
            AS path_names
    FROM candidate
    LEFT JOIN mart.division AS first ON first.division_id = candidate.parent_id AND first.valid_to = 'infinity'
    LEFT JOIN mart.division AS second ON second.division_id = first.parent_id AND second.valid_to = 'infinity'
    LEFT JOIN mart.division AS third ON third.division_id = second.parent_id AND third.valid_to = 'infinity'
    LEFT JOIN mart.division AS fourth ON fourth.division_id = third.parent_id AND fourth.valid_to = 'infinity'
)

SELECT found.division_code, found.division_name, found.level, found.parent_code, found.path_names
FROM found
WHERE NOT EXISTS (
    SELECT FROM unnest(CAST(:above AS text[])) AS wanted (word) WHERE strpos(found.path_names, wanted.word) = 0
)
ORDER BY found.depth, found.is_inside, found.division_code
LIMIT :limit
