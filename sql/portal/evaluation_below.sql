-- Scores of the divisions directly below one, the best first.
SELECT
    evaluation.division_code, evaluation.division_name, evaluation.level, evaluation.parent_code, evaluation.score,
    evaluation.grade, evaluation.rank_in_parent, evaluation.rank_in_province, evaluation.is_provisional,
    evaluation.is_vetoed
FROM mart.evaluation
WHERE evaluation.division_code = ANY(:divisions) AND evaluation.period = :period AND evaluation.scheme = :scheme
ORDER BY
    evaluation.is_vetoed, evaluation.is_provisional, evaluation.score DESC NULLS LAST, evaluation.division_code
LIMIT :limit
