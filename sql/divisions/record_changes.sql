INSERT INTO core.division_change (
    effective_date, kind, from_id, to_id, share, origin, confidence, is_taken, reason, known_from
)
SELECT
    CAST(:valid_from AS date), found.kind, found.from_id, found.to_id, found.share, found.origin, found.confidence,
    found.is_taken, found.reason, :moment
FROM found
WHERE NOT EXISTS (
    SELECT FROM core.division_change AS change
    WHERE change.effective_date = CAST(:valid_from AS date) AND change.known_to = 'infinity'
        AND change.kind = found.kind
        AND coalesce(change.from_id, 0) = coalesce(found.from_id, 0)
        AND coalesce(change.to_id, 0) = coalesce(found.to_id, 0)
)
