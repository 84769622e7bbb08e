INSERT INTO core.division_period (division_id, valid_from, division_name, level, parent_id)
SELECT division.division_id, CAST(:valid_from AS date), listed.division_name, listed.level, parent.division_id
FROM listed
JOIN core.division ON division.division_code = listed.division_code
LEFT JOIN core.division AS parent ON parent.division_code = listed.parent_code
WHERE NOT EXISTS (
    SELECT FROM core.division_period AS period
    WHERE period.division_id = division.division_id AND period.valid_to = 'infinity'
)
