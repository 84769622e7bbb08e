UPDATE core.scheme_version
SET known_to = :moment
WHERE known_to = 'infinity' AND version = ANY(:versions)
