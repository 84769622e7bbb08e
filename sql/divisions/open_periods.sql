INSERT INTO core.division_period (
    division_id, valid_from, valid_to, division_name, level, parent_id, known_from
)
SELECT
    wanted.division_id, wanted.valid_from, wanted.valid_to, wanted.division_name, wanted.level, wanted.parent_id, :moment
FROM wanted
WHERE NOT EXISTS (
    SELECT FROM core.division_period AS period
    WHERE period.division_id = wanted.division_id AND period.valid_from = wanted.valid_from
)
