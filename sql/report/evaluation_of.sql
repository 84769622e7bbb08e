-- Scores of divisions in a period, for tables and bulletins. A score with a part that is made of answers which
-- mart.satisfaction does not show would give them away: is_hidden; neither it nor its grade and ranks are read (ruling 18).
WITH survey AS MATERIALIZED (
    SELECT indicator.indicator
    FROM core.survey_indicator
    JOIN core.indicator ON indicator.indicator_id = survey_indicator.indicator_id
),

asked AS MATERIALIZED (
    SELECT satisfaction.division_code
    FROM mart.satisfaction
    WHERE satisfaction.period = :period AND satisfaction.channel = 'all' AND satisfaction.is_shown
        AND satisfaction.division_code IN (SELECT unnest(CAST(:codes AS text[])))
),

hidden AS MATERIALIZED (
    SELECT DISTINCT item.division_code, item.scheme
    FROM mart.evaluation_item AS item
    WHERE item.period = :period AND item.division_code IN (SELECT unnest(CAST(:codes AS text[])))
        AND item.status = 'scored' AND item.indicator IN (SELECT survey.indicator FROM survey)
        AND item.division_code NOT IN (SELECT asked.division_code FROM asked)
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
