INSERT INTO core.platform (platform, family, levels, datasets, area)
VALUES (:platform, :family, :levels, :datasets, :area)
ON CONFLICT (platform) DO UPDATE
SET
    family = excluded.family, levels = excluded.levels, datasets = excluded.datasets, area = excluded.area,
    is_declared = true
WHERE (platform.family, platform.levels, platform.datasets, platform.area, platform.is_declared)
    IS DISTINCT FROM (excluded.family, excluded.levels, excluded.datasets, excluded.area, true)
