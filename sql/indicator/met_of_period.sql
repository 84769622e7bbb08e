-- Units that said all that a count of units asks for, and how many of them fulfil it: by their own figures of the period, and
-- by their own stocks. holder_id: the division whose count they enter first; unit_id: only where the unit's own is needed.
CREATE TEMPORARY TABLE met ON COMMIT DROP AS
WITH counted AS (
    SELECT condition.ref_id, condition."of", own.unit_id, sum(own.value) >= condition.at_least AS is_met
    FROM (
        SELECT own.unit_id, unnest(own.cells) AS cell_id, unnest(own.figures) AS value
        FROM mart.unit_sum AS own
        WHERE own.period_id = :period_id
    ) AS own
    JOIN scope ON scope.division_id = own.unit_id
    JOIN condition
        ON condition.cell_id = own.cell_id AND condition.depth = scope.depth AND NOT condition.is_stock
    GROUP BY condition.ref_id, condition."of", condition.number, condition.at_least, own.unit_id
),

unit AS (
    SELECT condition.ref_id, stock.division_id AS unit_id, stock.value >= condition.at_least AS is_met
    FROM own_stock AS stock
    JOIN condition
        ON condition.cell_id = stock.cell_id AND condition.depth = stock.depth AND condition.is_stock
        AND condition."of" = 1
    UNION ALL
    SELECT counted.ref_id, counted.unit_id, counted.is_met
    FROM counted
    WHERE counted."of" = 1
    UNION ALL
    SELECT several.ref_id, several.unit_id, bool_and(several.is_met)
    FROM (
        SELECT condition.ref_id, condition."of", stock.division_id AS unit_id, stock.value >= condition.at_least AS is_met
        FROM own_stock AS stock
        JOIN condition
            ON condition.cell_id = stock.cell_id AND condition.depth = stock.depth AND condition.is_stock
            AND condition."of" > 1
        UNION ALL
        SELECT counted.ref_id, counted."of", counted.unit_id, counted.is_met
        FROM counted
        WHERE counted."of" > 1
    ) AS several
    GROUP BY several.ref_id, several.unit_id, several."of"
    HAVING count(*) = several."of"
)

SELECT
    unit.ref_id,
    CASE WHEN scope.has_below THEN unit.unit_id ELSE scope.parent_id END AS holder_id,
    CASE WHEN need.ref_id IS NOT NULL AND NOT scope.has_below THEN unit.unit_id END AS unit_id,
    count(*) FILTER (WHERE unit.is_met) AS units
FROM unit
JOIN scope ON scope.division_id = unit.unit_id
LEFT JOIN need ON need.ref_id = unit.ref_id AND need.depth = scope.depth
GROUP BY 1, 2, 3
