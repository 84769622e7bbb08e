DELETE FROM core.division_change WHERE known_from > :moment
