-- Every division that has others below it, with itself and all above it.
CREATE TEMPORARY TABLE above ON COMMIT DROP AS
WITH RECURSIVE up AS (
    SELECT scope.division_id, scope.division_id AS above_id
    FROM scope
    WHERE scope.has_below
    UNION ALL
    SELECT up.division_id, scope.parent_id
    FROM up
    JOIN scope ON scope.division_id = up.above_id
    WHERE scope.parent_id IS NOT NULL
)

SELECT up.division_id, up.above_id FROM up
