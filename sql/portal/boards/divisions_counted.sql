-- How many divisions of some levels there are at or below a division on a day.
SELECT count(*) AS value
FROM mart.division_below(:division_id, :day) AS below
JOIN mart.division AS place
    ON place.division_id = below.division_id AND place.valid_from <= :day AND :day < place.valid_to
WHERE place.level = ANY(:levels)
