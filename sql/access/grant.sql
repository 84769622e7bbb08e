-- Who may do what. Run after the migrations, and again after later ones: it covers what they have made since.
--   pls_owner   owns everything; used for init, lists of divisions and housekeeping
--   pls_loader  the pipeline: writes, but lets nothing go that came in, and changes no table's form
--   pls_clerk   decides about rows held back and flags; reads what that takes, writes nothing else
--   pls_reader  the portal, people with SQL: the views, without small samples; which ones, the migrations say
--   pls_county  the same of one's own division and all below it
-- Roles are shared by all databases of a server. One who may not make them finds them made (docs/howto/access.md), or does
-- everything as the user that connects.
DO $$
DECLARE
    name text;
    object record;
BEGIN
    FOREACH name IN ARRAY ARRAY['pls_owner', 'pls_loader', 'pls_clerk', 'pls_reader', 'pls_county'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) THEN
            BEGIN
                EXECUTE format('CREATE ROLE %I NOLOGIN', name);
            EXCEPTION
                WHEN duplicate_object OR unique_violation THEN NULL;
                WHEN insufficient_privilege THEN RETURN;
            END;
        END IF;
        IF NOT pg_has_role(current_user, name, 'MEMBER') THEN
            RETURN;
        END IF;
    END LOOP;

    EXECUTE format('GRANT CREATE ON DATABASE %I TO pls_owner', current_database());
    FOREACH name IN ARRAY ARRAY['landing', 'core', 'quality', 'mart', 'county'] LOOP
        EXECUTE format('ALTER SCHEMA %I OWNER TO pls_owner', name);
        EXECUTE format('GRANT USAGE ON SCHEMA %I TO pls_loader, pls_clerk', name);
        EXECUTE format('GRANT SELECT ON ALL TABLES IN SCHEMA %I TO pls_loader, pls_clerk', name);
        EXECUTE format('GRANT USAGE ON ALL SEQUENCES IN SCHEMA %I TO pls_loader', name);
    END LOOP;
    -- A partition belongs to whom its parent belongs to; indices go with their tables, owned sequences too.
    FOR object IN
        SELECT class.oid::regclass AS name, class.relkind AS kind
        FROM pg_class AS class
        JOIN pg_namespace AS namespace ON namespace.oid = class.relnamespace
        WHERE namespace.nspname IN ('landing', 'core', 'quality', 'mart', 'county')
            AND class.relowner <> 'pls_owner'::regrole
            AND (
                class.relkind IN ('r', 'p', 'v')
                OR class.relkind = 'S' AND NOT EXISTS (
                    SELECT FROM pg_depend AS owned
                    WHERE owned.objid = class.oid AND owned.deptype IN ('a', 'i') AND owned.classid = 'pg_class'::regclass
                )
            )
    LOOP
        EXECUTE format(
            'ALTER %s %s OWNER TO pls_owner',
            CASE object.kind WHEN 'v' THEN 'VIEW' WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, object.name
        );
    END LOOP;
    FOR object IN
        SELECT function.oid::regprocedure AS name
        FROM pg_proc AS function
        JOIN pg_namespace AS namespace ON namespace.oid = function.pronamespace
        WHERE namespace.nspname IN ('landing', 'core', 'quality', 'mart') AND function.proowner <> 'pls_owner'::regrole
    LOOP
        EXECUTE format('ALTER ROUTINE %s OWNER TO pls_owner', object.name);
    END LOOP;

    GRANT INSERT, UPDATE ON ALL TABLES IN SCHEMA landing, core, quality, mart TO pls_loader;
    REVOKE INSERT, UPDATE ON landing.migration FROM pls_loader;
    -- What can be made again may be taken away: of what came in, a batch that failed before it brought anything, and what
    -- the gate said of a batch that passes it again (rows that somebody decided about are held by the decision).
    GRANT DELETE ON ALL TABLES IN SCHEMA mart TO pls_loader;
    GRANT DELETE ON
        landing.batch, landing.staged_submission, quality.quarantine, quality.flag, quality.dissatisfied, quality.day_fit,
        quality.month_sum
    TO pls_loader;
    GRANT USAGE ON SCHEMA county TO pls_county;
    GRANT SELECT ON ALL TABLES IN SCHEMA county TO pls_county;
    GRANT INSERT ON quality.decision TO pls_clerk;
    GRANT UPDATE ON quality.quarantine, quality.flag TO pls_clerk;

    -- The few changes of form that a day brings: partitions, and statistics.
    FOR object IN
        SELECT function.oid::regprocedure AS name
        FROM pg_proc AS function
        WHERE function.oid IN (
            'core.ensure_month'::regproc, 'core.analyze_month'::regproc, 'mart.ensure_period'::regproc,
            'core.refresh_statistics'::regproc
        )
    LOOP
        EXECUTE format('ALTER FUNCTION %s SECURITY DEFINER SET search_path = pg_catalog, pg_temp', object.name);
        EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', object.name);
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO pls_loader', object.name);
    END LOOP;
END
$$
