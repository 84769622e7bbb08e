-- Submissions expected, received, on time.
INSERT INTO base (ref_id, division_id, value)
SELECT
    need.ref_id,
    scope.division_id,
    CASE ref.kind WHEN 'expected' THEN scope.expected WHEN 'received' THEN scope.received ELSE scope.on_time END
FROM scope
JOIN need ON need.depth = scope.depth
JOIN ref ON ref.ref_id = need.ref_id AND ref.kind IN ('expected', 'received', 'on_time')
WHERE scope.expected IS NOT NULL
