UPDATE quality.flag
SET state = 'explained', explanation = :text, explained_by = :name, explained_at = :moment
WHERE flag.flag_id = :flag_id
