SELECT
    delivery.delivery_id, issue.report, issue.period, issue.division_code, issue.version, delivery.target,
    delivery.kind, delivery.state, delivery.attempts, delivery.tried_at, delivery.last_error, delivery.receipt
FROM mart.delivery
JOIN mart.issue ON issue.issue_id = delivery.issue_id
ORDER BY delivery.delivery_id
