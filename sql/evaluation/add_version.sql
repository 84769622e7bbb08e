INSERT INTO core.scheme_version (scheme_id, version, scheme_name, digest, content, known_from)
SELECT scheme.scheme_id, :version, :scheme_name, :digest, CAST(:content AS jsonb), :moment
FROM core.scheme
WHERE scheme.scheme = :scheme
