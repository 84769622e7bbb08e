-- They, and all above them: divisions that owe nothing.
INSERT INTO touched (division_id, depth, is_leaf, is_expected)
WITH RECURSIVE active AS (
    SELECT period.division_id, period.parent_id, level.depth
    FROM core.division_period AS period
    JOIN core.level ON level.level = period.level
    WHERE period.valid_from <= :day AND :day < period.valid_to
),

upward AS (
    SELECT stray.unit_id AS division_id
    FROM stray
    UNION
    SELECT active.parent_id
    FROM upward
    JOIN active ON active.division_id = upward.division_id
)

SELECT
    active.division_id,
    active.depth,
    NOT EXISTS (SELECT FROM active AS below WHERE below.parent_id = active.division_id),
    false
FROM upward
JOIN active ON active.division_id = upward.division_id
WHERE active.division_id NOT IN (SELECT touched.division_id FROM touched)
