-- Bonuses, deductions and vetoes with their files.
SELECT evidence.kind, evidence.points, evidence.reason, evidence.file, evidence.sha256
FROM mart.evidence
WHERE evidence.division_code = :division AND evidence.period = :period AND evidence.scheme = :scheme
ORDER BY evidence.evidence
