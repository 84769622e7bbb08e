INSERT INTO mart.evaluation_part (
    period_id, scheme_id, division_id, indicator_id, level, status, numerator, denominator, value, is_provisional, note_zh,
    peers, better, points, effective_weight, score
)
SELECT
    :period_id, :scheme_id, part.division_id, part.indicator_id, part.level, part.status, part.numerator, part.denominator,
    part.value, part.is_provisional, part.note_zh, part.peers, part.better, part.points, part.effective_weight, part.score
FROM part
