-- Submissions of the days of a period that a later revision replaced, and those of them that came after its last day.
SELECT
    count(DISTINCT (earlier.stat_date, earlier.unit_id, earlier.dataset)) AS restated,
    count(DISTINCT (earlier.stat_date, earlier.unit_id, earlier.dataset))
    FILTER (WHERE (later.received_at AT TIME ZONE 'Asia/Shanghai')::date > :last) AS restated_after
FROM core.submission AS earlier
JOIN core.submission AS later
    ON later.stat_date = earlier.stat_date AND later.unit_id = earlier.unit_id
    AND later.platform_id = earlier.platform_id AND later.dataset = earlier.dataset
    AND later.known_from = earlier.known_to AND later.revision > earlier.revision
JOIN core.platform ON platform.platform_id = later.platform_id
JOIN core.division ON division.division_id = earlier.unit_id
WHERE earlier.stat_date BETWEEN :first AND :last AND earlier.known_to < 'infinity'
    AND division.division_code = ANY(:codes)
    -- The day of a 7×24 sender is completed the next morning: that restates nothing (ruling 2).
    AND NOT (
        platform.is_everyday AND later.dataset = 'daily'
        AND later.received_at <= (later.stat_date + 1 + time '10:00') AT TIME ZONE 'Asia/Shanghai'
    )
