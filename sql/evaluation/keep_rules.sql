INSERT INTO mart.evaluation_rule (
    period_id, scheme_id, level, indicator_id, position, category, aspect, weight, applies, method, is_lower_better, target,
    floor, cap, lowest, highest, steps, missing
)
SELECT
    :period_id, :scheme_id, rule.level, rule.indicator_id, rule.position, rule.category, rule.aspect, rule.weight,
    rule.applies, rule.method, rule.is_lower_better, rule.target, rule.floor, rule.cap, rule.lowest, rule.highest,
    rule.steps, rule.missing
FROM rule
