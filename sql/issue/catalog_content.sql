SELECT content FROM core.catalog_version WHERE digest = :digest
