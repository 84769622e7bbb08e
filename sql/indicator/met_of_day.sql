-- Units that said all that a count of units asks for, and whether they fulfil it: by their own figures of the day, and by
-- their own stocks at its end. holder: the division whose count they enter first.
CREATE TEMPORARY TABLE met ON COMMIT DROP AS
WITH judged AS (
    SELECT condition.ref_id, condition."of", stock.division_id AS unit_id, stock.value >= condition.at_least AS is_met
    FROM mart.stock_own AS stock
    JOIN condition ON condition.cell_id = stock.cell_id AND condition.is_stock
    WHERE stock.stat_date = :last_day AND stock.value IS NOT NULL
    UNION ALL
    SELECT condition.ref_id, condition."of", own.unit_id, sum(own.value) >= condition.at_least
    FROM core.daily_count AS own
    JOIN condition ON condition.cell_id = own.cell_id AND NOT condition.is_stock
    WHERE own.stat_date = :last_day
    GROUP BY condition.ref_id, condition."of", condition.number, condition.at_least, own.unit_id
),

unit AS (
    SELECT judged.ref_id, judged.unit_id, judged.is_met
    FROM judged
    WHERE judged."of" = 1
    UNION ALL
    SELECT judged.ref_id, judged.unit_id, bool_and(judged.is_met)
    FROM judged
    WHERE judged."of" > 1
    GROUP BY judged.ref_id, judged.unit_id, judged."of"
    HAVING count(*) = judged."of"
)

SELECT
    unit.ref_id,
    unit.unit_id,
    unit.is_met,
    CASE WHEN scope.has_below THEN unit.unit_id ELSE scope.parent_id END AS holder_id,
    scope.depth,
    scope.has_below
FROM unit
JOIN ref ON ref.ref_id = unit.ref_id
JOIN scope ON scope.division_id = unit.unit_id AND ref.levels & (1 << scope.depth) <> 0
