UPDATE core.division_change SET known_to = 'infinity' WHERE known_to > :moment AND known_to < 'infinity'
