-- Sums, where no part is missing.
INSERT INTO base (ref_id, division_id, value, share, note_zh)
SELECT part.ref_id, base.division_id, sum(base.value), min(base.share), string_agg(base.note_zh, '；' ORDER BY base.ref_id)
FROM part
JOIN base ON base.ref_id = part.part_id
GROUP BY part.ref_id, base.division_id, part.parts
HAVING count(*) = part.parts
