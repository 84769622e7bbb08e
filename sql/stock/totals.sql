-- One level: a division's stock is what units bring it plus the totals of the divisions directly below it.
INSERT INTO mart.stock_total (
    stat_date, division_id, cell_id, value, units_expected, units_reported, carried_from
)
SELECT
    :day,
    sent.division_id,
    sent.cell_id,
    sum(sent.value)::bigint,
    sum(sent.units_expected)::integer,
    sum(sent.units_reported)::integer,
    min(sent.carried_from)
FROM (
    SELECT
        part.division_id, part.cell_id, part.value, part.units_expected, part.units_reported, part.carried_from
    FROM part
    WHERE part.depth = :depth
    UNION ALL
    SELECT
        kin.parent_id, below.cell_id, below.value, below.units_expected, below.units_reported, below.carried_from
    FROM kin
    JOIN mart.stock_total AS below ON below.stat_date = :day AND below.division_id = kin.division_id
    WHERE kin.parent_depth = :depth AND NOT kin.is_leaf
) AS sent
GROUP BY sent.division_id, sent.cell_id
