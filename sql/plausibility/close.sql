UPDATE quality.flag
SET state = 'closed', closed_by = :name, closed_at = :moment, closing_reason = :text
WHERE flag.flag_id = :flag_id
