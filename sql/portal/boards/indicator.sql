-- One indicator of a division in a period.
SELECT indicator.*
FROM mart.indicator_value AS indicator
WHERE indicator.division_code = :division AND indicator.period = :period AND indicator.indicator = :indicator
