INSERT INTO core.division_period (division_id, valid_from, valid_to, division_name, level, parent_id, known_from)
SELECT
    history.division_id, history.valid_from, history.valid_to, history.division_name, history.level, history.parent_id,
    history.known_from
FROM core.division_period_history AS history
WHERE history.known_from <= :moment AND :moment < history.known_to
