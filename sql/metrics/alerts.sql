SELECT alert.state, count(*) AS alerts, extract(epoch FROM max(alert.sent_at))::float8 AS sent_at
FROM quality.alert
GROUP BY alert.state
