UPDATE core.submission
SET known_to = 'infinity'
WHERE stat_date = ANY(:days) AND known_to > :moment AND known_to < 'infinity'
