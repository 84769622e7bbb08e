-- All that was stored of a period's evaluation.
WITH rule AS (
    DELETE FROM mart.evaluation_rule WHERE period_id = :period_id
),

part AS (
    DELETE FROM mart.evaluation_part WHERE period_id = :period_id
),

score AS (
    DELETE FROM mart.evaluation_score WHERE period_id = :period_id
),

evidence AS (
    DELETE FROM mart.evaluation_evidence WHERE period_id = :period_id
)

DELETE FROM mart.evaluation_run WHERE period_id = :period_id
