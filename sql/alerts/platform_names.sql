SELECT platform.platform
FROM core.platform
WHERE platform.platform_id = ANY(:ids)
ORDER BY platform.platform
