SELECT flag.flag_id, flag.state, flag.score IS NOT NULL AS is_question
FROM quality.flag
WHERE flag.flag_id = :flag_id
FOR UPDATE
