-- Scores of divisions by a scheme.
SELECT
    evaluation.division_code, evaluation.score, evaluation.grade, evaluation.rank_in_parent,
    evaluation.is_provisional, evaluation.is_vetoed, evaluation.items_missing, evaluation.scheme_name
FROM mart.evaluation AS evaluation
WHERE evaluation.period = :period AND evaluation.scheme = :scheme AND evaluation.division_code = ANY(:divisions)
