INSERT INTO core.catalog_version (digest, content, known_from)
VALUES (:digest, :content, clock_timestamp())
ON CONFLICT (digest) DO NOTHING
