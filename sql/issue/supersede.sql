-- A draft that nobody has decided about gives way to a newer one.
UPDATE mart.issue
SET state = 'refused', decided_at = :moment, decided_by = :by, reason = '数据已有变化，由新稿取代'
WHERE report = :report AND division_code = :division AND period = :period
    AND state IN ('drafted', 'awaiting_approval')
