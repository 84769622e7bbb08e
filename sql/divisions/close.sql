-- Periods that the new list ends: divisions it no longer has, and those it shows with another name, level or parent.
UPDATE core.division_period AS period
SET valid_to = CAST(:valid_from AS date)
FROM core.division
LEFT JOIN listed ON listed.division_code = division.division_code
LEFT JOIN core.division AS parent ON parent.division_code = listed.parent_code
WHERE period.division_id = division.division_id AND period.valid_to = 'infinity'
    AND (listed.division_name, listed.level, parent.division_id)
        IS DISTINCT FROM (period.division_name, period.level, period.parent_id)
