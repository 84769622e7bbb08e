INSERT INTO mart.satisfaction_rule (
    period_id, definition_zh, weighting_zh, confidence, fewest_shown, fewest_ranked
)
VALUES (:period_id, :definition_zh, :weighting_zh, :confidence, :fewest_shown, :fewest_ranked)
ON CONFLICT (period_id) DO UPDATE
SET
    definition_zh = excluded.definition_zh, weighting_zh = excluded.weighting_zh, confidence = excluded.confidence,
    fewest_shown = excluded.fewest_shown, fewest_ranked = excluded.fewest_ranked
