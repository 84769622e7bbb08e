-- A list loaded again may have the unit in force after all.
UPDATE quality.flag
SET state = 'closed'
FROM core.division
JOIN core.division_period AS period ON period.division_id = division.division_id
WHERE flag.check_code = 'unit_closed' AND flag.state <> 'closed' AND flag.unit_code = division.division_code
    AND period.valid_from <= flag.stat_date AND flag.stat_date < period.valid_to
