-- Periods that the list replaces leave for the history.
WITH replaced AS (
    DELETE FROM core.division_period AS period
    WHERE period.valid_to >= CAST(:valid_from AS date) AND NOT EXISTS (
        SELECT FROM wanted
        WHERE wanted.division_id = period.division_id AND wanted.valid_from = period.valid_from
            AND (wanted.valid_to, wanted.division_name, wanted.level, wanted.parent_id)
                IS NOT DISTINCT FROM (period.valid_to, period.division_name, period.level, period.parent_id)
    )
    RETURNING period.*
)

INSERT INTO core.division_period_history (
    division_id, valid_from, valid_to, division_name, level, parent_id, known_from, known_to
)
SELECT
    replaced.division_id, replaced.valid_from, replaced.valid_to, replaced.division_name, replaced.level,
    replaced.parent_id, replaced.known_from, :moment
FROM replaced
