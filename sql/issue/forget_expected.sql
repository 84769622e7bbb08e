DELETE FROM core.expected_day WHERE stat_date = ANY(:days) AND known_from > :moment
