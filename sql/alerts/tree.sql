SELECT period.division_id, division.division_code, period.division_name, period.level, period.parent_id
FROM core.division_period AS period
JOIN core.division ON division.division_id = period.division_id
WHERE period.valid_from <= :day AND :day < period.valid_to
