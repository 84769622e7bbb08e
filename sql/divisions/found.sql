CREATE TEMPORARY TABLE found ON COMMIT DROP AS
SELECT
    change.kind,
    origin_division.division_id AS from_id,
    heir.division_id AS to_id,
    change.share,
    change.origin,
    change.confidence,
    change.is_taken,
    change.reason
FROM change
LEFT JOIN core.division AS origin_division ON origin_division.division_code = change.from_code
LEFT JOIN core.division AS heir ON heir.division_code = change.to_code
