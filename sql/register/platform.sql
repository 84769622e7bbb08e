INSERT INTO core.platform (platform, family, levels, datasets, area, is_everyday)
VALUES (:platform, :family, :levels, :datasets, :area, :is_everyday)
ON CONFLICT (platform) DO UPDATE
SET
    family = excluded.family, levels = excluded.levels, datasets = excluded.datasets, area = excluded.area,
    is_everyday = excluded.is_everyday, is_declared = true
WHERE (platform.family, platform.levels, platform.datasets, platform.area, platform.is_everyday, platform.is_declared)
    IS DISTINCT FROM (
        excluded.family, excluded.levels, excluded.datasets, excluded.area, excluded.is_everyday, true
    )
