-- Takes a delivery; nothing where another run has it, or has done it.
SELECT delivery.delivery_id, delivery.target, delivery.told_at, issue.*
FROM mart.delivery
JOIN mart.issue ON issue.issue_id = delivery.issue_id
WHERE delivery.delivery_id = :delivery_id AND delivery.state = 'waiting'
FOR UPDATE OF delivery SKIP LOCKED
