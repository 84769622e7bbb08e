-- Changes of the day that the list no longer shows, or shows otherwise.
UPDATE core.division_change AS change
SET known_to = :moment
WHERE change.effective_date = CAST(:valid_from AS date) AND change.known_to = 'infinity' AND NOT EXISTS (
    SELECT FROM found
    WHERE found.kind = change.kind
        AND coalesce(found.from_id, 0) = coalesce(change.from_id, 0)
        AND coalesce(found.to_id, 0) = coalesce(change.to_id, 0)
        AND (found.share, found.origin, found.confidence, found.is_taken, found.reason)
            IS NOT DISTINCT FROM (change.share, change.origin, change.confidence, change.is_taken, change.reason)
)
