DELETE FROM core.submission WHERE stat_date = ANY(:days) AND known_from > :moment
