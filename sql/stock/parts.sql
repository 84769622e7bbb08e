-- What units bring straight to a division: its own unit's stocks, and those of the divisions directly below it that have
-- none below them.
CREATE TEMPORARY TABLE part ON COMMIT DROP AS
WITH sender AS (
    SELECT touched.division_id, touched.depth, touched.division_id AS unit_id
    FROM touched
    WHERE NOT touched.is_leaf
    UNION ALL
    SELECT kin.parent_id, kin.parent_depth, kin.division_id
    FROM kin
    WHERE kin.is_leaf
)

SELECT
    sender.depth,
    sender.division_id,
    own.cell_id,
    sum(own.value)::bigint AS value,
    sum(own.units_expected)::integer AS units_expected,
    sum(own.units_reported)::integer AS units_reported,
    min(own.carried_from) AS carried_from
FROM sender
JOIN mart.stock_own AS own ON own.stat_date = :day AND own.division_id = sender.unit_id
GROUP BY sender.depth, sender.division_id, own.cell_id
