-- Statistics of tables that have just been written whole, for those who do not own them.
CREATE FUNCTION core.refresh_statistics(VARIADIC tables text[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    name regclass;
BEGIN
    FOREACH name IN ARRAY tables::regclass[] LOOP
        IF (SELECT class.relnamespace FROM pg_class AS class WHERE class.oid = name) <> 'mart'::regnamespace THEN
            RAISE EXCEPTION '% is no mart', name;
        END IF;
        EXECUTE format('ANALYZE %s', name);
    END LOOP;
END
$$;
