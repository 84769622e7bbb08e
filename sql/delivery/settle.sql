-- A version is delivered when every target has it, failed when one refuses it and nothing waits any more.
UPDATE mart.issue
SET state = CASE WHEN counted.failed > 0 THEN 'failed' ELSE 'delivered' END
FROM (
    SELECT
        delivery.issue_id,
        count(*) FILTER (WHERE delivery.state = 'waiting') AS waiting,
        count(*) FILTER (WHERE delivery.state = 'failed') AS failed
    FROM mart.delivery
    GROUP BY delivery.issue_id
) AS counted
WHERE issue.issue_id = counted.issue_id AND issue.state IN ('approved', 'failed') AND counted.waiting = 0
