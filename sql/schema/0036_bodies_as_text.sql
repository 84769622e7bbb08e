-- Citus (docs/howto/citus.md) reads the text of a statement again: a body that says RETURN is none.
CREATE OR REPLACE FUNCTION core.survey_cells() RETURNS smallint[] LANGUAGE sql STABLE AS $$
    SELECT ARRAY(
        SELECT cell.cell_id FROM core.cell JOIN core.measure USING (measure_id) WHERE measure.kind = 'survey'
    )
$$;
