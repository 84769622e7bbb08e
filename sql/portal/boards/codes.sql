-- Codes of a division and all below it on a day.
SELECT place.division_code
FROM mart.division_below(:division_id, :day) AS below
JOIN mart.division AS place
    ON place.division_id = below.division_id AND place.valid_from <= :day AND :day < place.valid_to
