-- Divisions of the area, with their level and whether they have others below them.
DROP TABLE IF EXISTS bench_scope;
CREATE TABLE bench_scope AS
WITH RECURSIVE below AS (
    SELECT place.division_id, place.parent_id, place.level
    FROM core.division_period AS place
    JOIN core.division USING (division_id)
    WHERE division.division_code = %(area)s AND place.valid_from <= %(day)s AND %(day)s < place.valid_to
    UNION ALL
    SELECT place.division_id, place.parent_id, place.level
    FROM below
    JOIN core.division_period AS place ON place.parent_id = below.division_id
    WHERE place.valid_from <= %(day)s AND %(day)s < place.valid_to
)
SELECT
    below.division_id,
    below.parent_id,
    below.level,
    NOT EXISTS (SELECT FROM below AS under WHERE under.parent_id = below.division_id) AS is_leaf
FROM below;
