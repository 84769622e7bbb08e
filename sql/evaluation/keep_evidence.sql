INSERT INTO mart.evaluation_evidence (
    period_id, scheme_id, division_id, evidence, kind, points, reason, file, sha256
)
SELECT
    :period_id, :scheme_id, place.division_id, evidence.id, evidence.kind, evidence.points, evidence.reason, evidence.file,
    evidence.sha256
FROM jsonb_to_recordset(CAST(:evidence AS jsonb)) AS evidence (
    id text, division text, kind text, points numeric, reason text, file text, sha256 text
)
JOIN place ON place.division_code = evidence.division
