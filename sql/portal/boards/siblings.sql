-- Scores of the divisions of one level under one parent, the best first; those without a rank last.
SELECT
    score.division_code, score.division_name, score.level, score.parent_code, score.score, score.grade, score.rank_in_parent,
    score.rank_in_province, score.is_provisional, score.is_vetoed, count(*) OVER () AS rows_total
FROM mart.evaluation AS score
WHERE score.period = :period AND score.scheme = :scheme AND score.level = :level AND score.parent_code = :parent
ORDER BY score.rank_in_parent NULLS LAST, score.score DESC NULLS LAST, score.division_code
LIMIT :limit OFFSET :offset
