DELETE FROM quality.dissatisfied
WHERE stat_date BETWEEN :first_day AND :last_day AND (CAST(:unit_id AS integer) IS NULL OR unit_id = :unit_id)
