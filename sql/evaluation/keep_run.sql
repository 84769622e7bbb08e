INSERT INTO mart.evaluation_run (period_id, scheme_id, scheme_version_id, digest, terms, evaluated_at)
SELECT :period_id, version.scheme_id, version.scheme_version_id, :digest, CAST(:terms AS jsonb), :moment
FROM core.scheme_version AS version
WHERE version.version = :version AND version.digest = :version_digest
ORDER BY version.known_from DESC
LIMIT 1
RETURNING scheme_id
