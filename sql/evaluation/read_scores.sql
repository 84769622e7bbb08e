-- The scores just made, to be shown and not stored.
SELECT
    place.division_code,
    name.division_name,
    total.level,
    parent.division_code AS parent_code,
    total.score,
    total.grade,
    total.rank_in_parent,
    total.rank_in_province,
    total.is_provisional
FROM total
JOIN place ON place.division_id = total.division_id
JOIN core.level ON level.level = total.level
JOIN core.division_period AS name
    ON name.division_id = total.division_id AND name.valid_from <= :day AND :day < name.valid_to
LEFT JOIN core.division AS parent ON parent.division_id = total.parent_id
ORDER BY level.depth, total.rank_in_province, place.division_code
