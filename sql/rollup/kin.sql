-- The divisions directly below the touched ones.
CREATE TEMPORARY TABLE kin ON COMMIT DROP AS
SELECT
    period.division_id,
    period.parent_id,
    touched.depth AS parent_depth,
    NOT EXISTS (
        SELECT FROM core.division_period AS below
        WHERE below.parent_id = period.division_id AND below.valid_from <= :day AND :day < below.valid_to
    ) AS is_leaf
FROM touched
JOIN core.division_period AS period ON period.parent_id = touched.division_id
WHERE NOT touched.is_leaf AND period.valid_from <= :day AND :day < period.valid_to;
