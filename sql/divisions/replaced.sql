-- Periods that the list replaces.
CREATE TEMPORARY TABLE replaced ON COMMIT DROP AS
SELECT period.*
FROM core.division_period AS period
WHERE period.valid_to >= CAST(:valid_from AS date) AND NOT EXISTS (
    SELECT FROM wanted
    WHERE wanted.division_id = period.division_id AND wanted.valid_from = period.valid_from
        AND (wanted.valid_to, wanted.division_name, wanted.level, wanted.parent_id)
            IS NOT DISTINCT FROM (period.valid_to, period.division_name, period.level, period.parent_id)
)
