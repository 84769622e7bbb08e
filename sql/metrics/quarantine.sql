SELECT quarantine.reason_code, quarantine.state, count(*) AS rows
FROM quality.quarantine
GROUP BY quarantine.reason_code, quarantine.state
