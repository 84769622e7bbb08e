-- Scores of a division, one per scheme.
SELECT evaluation.*
FROM mart.evaluation
WHERE evaluation.division_code = :division AND evaluation.period = :period
ORDER BY evaluation.scheme
