-- The partitions of contents and their entries.

-- When the month (of class 0: the year) begins in which something occurred, and when it ends.
CREATE FUNCTION partition_of(of_class SMALLINT, of_at BIGINT, OUT name TEXT, OUT since BIGINT, OUT until BIGINT)
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    unit TEXT := CASE WHEN of_class = 0 THEN 'year' ELSE 'month' END;
    first TIMESTAMP := date_trunc(unit, TIMESTAMP '1970-01-01' + of_at * INTERVAL '1 microsecond');
    last TIMESTAMP := first + ('1 ' || unit)::INTERVAL;
BEGIN
    name := of_class || '_' || to_char(first, CASE WHEN of_class = 0 THEN 'YYYY' ELSE 'YYYYMM' END);
    since := (extract(epoch FROM first) * 1000000)::BIGINT;
    until := (extract(epoch FROM last) * 1000000)::BIGINT;
END $$;

-- Makes the partition in which something of a class and a time belongs, where it is not there yet.
-- ATTACH waits for nobody who reads or writes; `CREATE … PARTITION OF` would wait for everybody.
CREATE FUNCTION add_partition(of_class SMALLINT, of_at BIGINT) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    part RECORD;
    of_table TEXT;
    made TEXT;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('daybook partitions', 0));
    SELECT * INTO part FROM partition_of(of_class, of_at);
    FOREACH of_table IN ARRAY ARRAY['content', 'entry'] LOOP
        made := of_table || '_' || part.name;
        IF to_regclass(made) IS NULL THEN
            EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', made, of_table);
            EXECUTE format(
                'ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%s, %s) TO (%s, %s)',
                of_table, made, of_class, part.since, of_class, part.until
            );
        END IF;
    END LOOP;
END $$;

-- Looks at tables that have grown much since the server looked at them last: of a partition that it has
-- never looked at it does not know which of its indexes tells most, and takes any. Its own looks come
-- minutes later.
CREATE FUNCTION look_at_young_tables() RETURNS INTEGER
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET lock_timeout = '100ms' AS $$
DECLARE
    young REGCLASS;
    looked INTEGER := 0;
BEGIN
    FOR young IN
        SELECT c.oid FROM pg_class c JOIN pg_stat_user_tables s ON s.relid = c.oid
        WHERE c.relnamespace = 'public'::REGNAMESPACE AND c.relkind = 'r' AND s.n_live_tup < 500000
            AND s.n_mod_since_analyze > 200 AND s.n_mod_since_analyze > c.reltuples / 2
    LOOP
        BEGIN
            EXECUTE format('ANALYZE %s', young);
            looked := looked + 1;
        EXCEPTION WHEN lock_not_available THEN
            NULL;
        END;
    END LOOP;
    RETURN looked;
END $$;
