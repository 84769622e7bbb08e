INSERT INTO mart.evaluation_score (
    period_id, scheme_id, division_id, level, parent_id, score, grade, rank_in_parent, rank_in_province, is_provisional,
    is_vetoed, bonus, deduction, items_scored, items_missing, items_not_applicable
)
SELECT
    :period_id, :scheme_id, total.division_id, total.level, total.parent_id, total.score, total.grade, total.rank_in_parent,
    total.rank_in_province, total.is_provisional, total.is_vetoed, total.bonus, total.deduction, total.items_scored,
    total.items_missing, total.items_not_applicable
FROM total
