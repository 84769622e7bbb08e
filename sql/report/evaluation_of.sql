-- Scores of divisions in a period, for tables and bulletins. A score with a part that is made of answers which
-- mart.satisfaction does not show would give them away: is_hidden; neither it nor its grade and ranks are read (ruling 18).
WITH hidden AS MATERIALIZED (
    SELECT division.division_code, scheme.scheme
    FROM mart.evaluation_unseen AS unseen
    JOIN mart.period ON period.period_id = unseen.period_id
    JOIN core.scheme ON scheme.scheme_id = unseen.scheme_id
    JOIN core.division ON division.division_id = unseen.division_id
    WHERE period.period = :period AND division.division_code IN (SELECT unnest(CAST(:codes AS text[])))
)

SELECT
    evaluation.division_code, evaluation.scheme, evaluation.scheme_name,
    CASE WHEN hidden.scheme IS NULL THEN evaluation.score END AS score,
    CASE WHEN hidden.scheme IS NULL THEN evaluation.grade END AS grade,
    CASE WHEN hidden.scheme IS NULL THEN evaluation.rank_in_parent END AS rank_in_parent,
    CASE WHEN hidden.scheme IS NULL THEN evaluation.rank_in_province END AS rank_in_province,
    evaluation.bonus, evaluation.deduction, evaluation.items_missing, evaluation.is_provisional, evaluation.is_vetoed,
    hidden.scheme IS NOT NULL AS is_hidden
FROM mart.evaluation
LEFT JOIN hidden ON hidden.division_code = evaluation.division_code AND hidden.scheme = evaluation.scheme
WHERE evaluation.period = :period AND evaluation.division_code IN (SELECT unnest(CAST(:codes AS text[])))
