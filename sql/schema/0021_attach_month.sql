-- A month's partitions are made alone and then attached (as mart.ensure_period does): made in place they would lock their
-- parents against readers.
CREATE OR REPLACE FUNCTION core.ensure_month(day date) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    parent text;
    first_day date := date_trunc('month', day);
    suffix text := to_char(day, 'YYYYMM');
BEGIN
    IF to_regclass('core.submission_' || suffix) IS NOT NULL THEN
        RETURN;
    END IF;
    PERFORM pg_advisory_xact_lock(7300002);
    IF to_regclass('core.submission_' || suffix) IS NOT NULL THEN
        RETURN;
    END IF;
    FOREACH parent IN ARRAY ARRAY['mart.daily_total', 'mart.daily_reporting', 'core.submission'] LOOP
        EXECUTE format('CREATE TABLE %s_%s (LIKE %s INCLUDING ALL)', parent, suffix, parent);
        EXECUTE format(
            'ALTER TABLE %s ATTACH PARTITION %s_%s FOR VALUES FROM (%L) TO (%L)',
            parent, parent, suffix, first_day, (first_day + interval '1 month')::date
        );
    END LOOP;
END
$$;
