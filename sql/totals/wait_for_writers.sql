-- Waits until every day of the period that somebody is writing just now is written (take_day): whatever is stamped earlier
-- than now can be read then. In the order in which months take their days.
SELECT pg_advisory_xact_lock_shared(:lock, written.day)
FROM (
    SELECT CAST(CAST(held.objid AS bigint) AS integer) AS day
    FROM pg_locks AS held
    WHERE held.locktype = 'advisory' AND held.classid = :lock AND held.objsubid = 2
        AND held.mode = 'ExclusiveLock' AND held.granted
        AND held.database = (SELECT own.oid FROM pg_database AS own WHERE own.datname = current_database())
        AND CAST(held.objid AS bigint) BETWEEN :first AND :last
    ORDER BY 1
) AS written
