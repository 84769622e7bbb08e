-- Over all channels, of the divisions directly below one.
SELECT satisfaction.*, count(*) OVER () AS rows_total
FROM mart.satisfaction
WHERE satisfaction.division_code = ANY(:divisions) AND satisfaction.period = :period AND satisfaction.channel = 'all'
ORDER BY satisfaction.division_code
LIMIT :limit OFFSET :offset
