-- The parts of a score in the scheme's order.
SELECT item.*, named.indicator_name, named.unit
FROM mart.evaluation_item AS item
LEFT JOIN mart.indicator_name AS named ON named.indicator = item.indicator
WHERE item.division_code = :division AND item.period = :period AND item.scheme = :scheme
ORDER BY item.position
