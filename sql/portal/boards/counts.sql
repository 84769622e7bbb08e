-- Who owes a data set that is not counted by division, of a division (first) and those directly below it.
SELECT
    place.division_id,
    place.division_code,
    place.division_name,
    place.level,
    place.parent_code,
    EXISTS (
        SELECT FROM mart.division AS lower
        WHERE lower.parent_id = place.division_id AND lower.valid_from <= :day AND :day < lower.valid_to
    ) AS has_children,
    counted.expected,
    counted.received,
    counted.on_time,
    counted.late,
    counted.received - counted.on_time - counted.late AS late_after_cutoff,
    CASE
        WHEN counted.cutoff_at < statement_timestamp() THEN counted.expected - counted.received - counted.rejected
    END AS missing,
    counted.rejected,
    counted.received::numeric / counted.expected AS reporting_rate,
    counted.on_time::numeric / counted.expected AS on_time_rate,
    counted.cutoff_at >= statement_timestamp() AS is_provisional
FROM mart.reporting_of(:dataset, :day) AS counted
JOIN mart.division AS place
    ON place.division_id = counted.division_id AND place.valid_from <= :day AND :day < place.valid_to
WHERE place.division_id = :division_id OR place.parent_id = :division_id
ORDER BY place.division_id <> :division_id, counted.expected - counted.received DESC, place.division_code
