-- Divisions of today by the beginning of their code (a word of digits) or a part of their name. own_id: the viewer's own
-- division, or null. The first are taken before what is above them is looked up: 村 stands in most names. There are five
-- levels, so at most four above.
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

found AS MATERIALIZED (
    SELECT matching.*
    FROM matching
    WHERE CAST(:own_id AS integer) IS NULL OR matching.division_id IN (
        SELECT below.division_id FROM mart.division_below(CAST(:own_id AS integer), current_date) AS below
    )
    ORDER BY matching.depth, matching.is_inside, matching.division_code
    LIMIT :limit
)

SELECT
    found.division_code, found.division_name, found.level, first.division_code AS parent_code,
    concat_ws(' ', fourth.division_name, third.division_name, second.division_name, first.division_name) AS path_names
FROM found
LEFT JOIN mart.division AS first ON first.division_id = found.parent_id AND first.valid_to = 'infinity'
LEFT JOIN mart.division AS second ON second.division_id = first.parent_id AND second.valid_to = 'infinity'
LEFT JOIN mart.division AS third ON third.division_id = second.parent_id AND third.valid_to = 'infinity'
LEFT JOIN mart.division AS fourth ON fourth.division_id = third.parent_id AND fourth.valid_to = 'infinity'
ORDER BY found.depth, found.is_inside, found.division_code
