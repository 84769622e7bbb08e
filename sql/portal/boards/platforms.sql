-- Platforms whose whole area lies in some divisions.
SELECT area.platform
FROM mart.platform_area AS area
GROUP BY area.platform
HAVING bool_and(area.division_code = ANY(:codes))
