-- The issued version that a file belongs to, by its digest.
SELECT issue.*
FROM mart.issue
WHERE issue.state IN ('approved', 'delivered', 'failed') AND (
    issue.manifest_sha256 = :sha256
    OR EXISTS (
        SELECT FROM jsonb_array_elements(issue.files) AS item (file) WHERE item.file ->> 'sha256' = :sha256
    )
)
ORDER BY issue.issue_id
LIMIT 1
