-- Scores of divisions in a period, as people query them.
SELECT
    evaluation.division_code, evaluation.scheme, evaluation.scheme_name, evaluation.score, evaluation.grade,
    evaluation.rank_in_parent, evaluation.rank_in_province, evaluation.bonus, evaluation.deduction,
    evaluation.items_missing, evaluation.is_provisional, evaluation.is_vetoed
FROM mart.evaluation
WHERE evaluation.period = :period AND evaluation.division_code IN (SELECT unnest(CAST(:codes AS text[])))
