SELECT
    item.indicator,
    item.category,
    item.aspect,
    item.weight,
    item.effective_weight,
    item.method,
    item.numerator,
    item.denominator,
    item.value,
    item.target,
    item.status,
    item.is_provisional,
    item.points,
    item.score,
    item.reason
FROM mart.evaluation_item AS item
WHERE item.division_code = :division AND item.period = :period AND item.scheme = :scheme
ORDER BY item.position
