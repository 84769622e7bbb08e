-- They leave for the history.
INSERT INTO core.division_period_history (
    division_id, valid_from, valid_to, division_name, level, parent_id, known_from, known_to
)
SELECT
    replaced.division_id, replaced.valid_from, replaced.valid_to, replaced.division_name, replaced.level,
    replaced.parent_id, replaced.known_from, :moment
FROM replaced
