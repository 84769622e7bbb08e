-- The divisions directly below one in a period.
SELECT place.division_code, place.division_id
FROM mart.division AS place
JOIN mart.period_reporting AS counted ON counted.division_id = place.division_id
WHERE place.parent_id = :division_id AND counted.period_id = :period_id
    AND place.valid_from <= counted.last_day AND counted.last_day < place.valid_to
ORDER BY place.division_code
