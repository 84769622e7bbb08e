-- The score of a division by a scheme.
SELECT evaluation.*
FROM mart.evaluation
WHERE evaluation.division_code = :division AND evaluation.period = :period AND evaluation.scheme = :scheme
