-- A division and all above it, the highest first: as of a day, or as last known (null). A division that was not there on
-- the day is shown as it was when last before, else first after.
WITH RECURSIVE here AS (
    SELECT place.*
    FROM mart.division AS place
    WHERE place.division_code = :division
    ORDER BY place.valid_from <= coalesce(CAST(:day AS date), 'infinity') DESC,
        CASE WHEN place.valid_from <= coalesce(CAST(:day AS date), 'infinity') THEN place.valid_from END DESC,
        place.valid_from
    LIMIT 1
),

day AS (
    SELECT greatest(least(coalesce(CAST(:day AS date), 'infinity'), CASE WHEN here.valid_to = 'infinity' THEN DATE '9999-12-31' ELSE here.valid_to - 1 END), here.valid_from) AS day FROM here
),

above AS (
    SELECT here.division_id, here.division_code, here.division_name, here.level, here.depth, here.parent_id,
        here.parent_code
    FROM here
    UNION ALL
    SELECT place.division_id, place.division_code, place.division_name, place.level, place.depth, place.parent_id,
        place.parent_code
    FROM above
    JOIN mart.division AS place ON place.division_id = above.parent_id
    CROSS JOIN day
    WHERE place.valid_from <= day.day AND day.day < place.valid_to
)

SELECT above.division_id, above.division_code, above.division_name, above.level, above.parent_code
FROM above
ORDER BY above.depth
