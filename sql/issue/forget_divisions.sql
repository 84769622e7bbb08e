DELETE FROM core.division_period WHERE known_from > :moment
