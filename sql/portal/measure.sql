-- A measure that is not of the survey.
SELECT measure.measure, measure.measure_name, measure.unit, measure.kind
FROM mart.measure
WHERE measure.measure = :measure
