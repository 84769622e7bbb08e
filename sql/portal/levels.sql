-- How many divisions of each level there were at or below a division on a day; below one that has none above, all there were.
SELECT place.level, count(*) AS divisions
FROM mart.division AS place
WHERE place.valid_from <= :day AND :day < place.valid_to AND (
    CAST(:is_top AS boolean)
    OR place.division_id IN (
        SELECT below.division_id
        FROM mart.division_below(CASE WHEN NOT CAST(:is_top AS boolean) THEN CAST(:division_id AS integer) END, :day) AS below
    )
)
GROUP BY place.level, place.depth
ORDER BY place.depth
