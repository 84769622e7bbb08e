SELECT version.version, version.digest
FROM core.scheme_version AS version
WHERE version.known_to = 'infinity'
