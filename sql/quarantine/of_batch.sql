-- What is held back of a batch, for the return sheet to its sender.
SELECT row_number, place, unit_code, reason_code, reason, raw
FROM quality.quarantine
WHERE batch_id = :batch_id AND state = 'held'
ORDER BY row_number
