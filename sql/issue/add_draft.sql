INSERT INTO mart.issue (
    report, title, division_code, division_name, period, version, state, known_at, catalog_digest, periods,
    scheme_versions, row_count, cells_sha256, cells_changed, files, drafted_at, drafted_by
)
VALUES (
    :report, :title, :division, :division_name, :period, :version, 'drafted', :known_at, :catalog_digest,
    CAST(:periods AS jsonb), CAST(:scheme_versions AS text[]), :row_count, :cells_sha256, :cells_changed,
    CAST(:files AS jsonb), :moment, :by
)
RETURNING issue_id
