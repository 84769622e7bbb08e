-- For tests, which write totals figure by figure: the views of sums take single rows.
CREATE OR REPLACE FUNCTION mart.write_single_figure() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    sums text := TG_ARGV[0];
    slice text := TG_ARGV[1];
    place text := TG_ARGV[2];
BEGIN
    IF TG_OP = 'INSERT' THEN
        EXECUTE format(
            'INSERT INTO mart.%1$I AS sums (%2$I, %3$I, cells, figures)'
            ' VALUES ($1.%2$I, $1.%3$I, ARRAY[$1.cell_id], ARRAY[$1.value]) ON CONFLICT (%2$I, %3$I) DO UPDATE'
            ' SET cells = sums.cells || excluded.cells, figures = sums.figures || excluded.figures',
            sums, slice, place
        ) USING new;
        RETURN new;
    ELSIF TG_OP = 'UPDATE' THEN
        EXECUTE format(
            'UPDATE mart.%1$I SET figures[array_position(cells, $1.cell_id)] = $1.value'
            ' WHERE %2$I = $1.%2$I AND %3$I = $1.%3$I',
            sums, slice, place
        ) USING new;
        RETURN new;
    END IF;
    EXECUTE format(
        'DELETE FROM mart.%1$I WHERE %2$I = $1.%2$I AND %3$I = $1.%3$I', sums, slice, place
    ) USING old;
    RETURN old;
END
$$;

CREATE OR REPLACE TRIGGER single INSTEAD OF INSERT OR UPDATE OR DELETE ON mart.daily_total
    FOR EACH ROW EXECUTE FUNCTION mart.write_single_figure('daily_sum', 'stat_date', 'division_id');
CREATE OR REPLACE TRIGGER single INSTEAD OF INSERT OR UPDATE OR DELETE ON mart.period_total
    FOR EACH ROW EXECUTE FUNCTION mart.write_single_figure('period_sum', 'period_id', 'division_id');
CREATE OR REPLACE TRIGGER single INSTEAD OF INSERT OR UPDATE OR DELETE ON mart.period_own
    FOR EACH ROW EXECUTE FUNCTION mart.write_single_figure('unit_sum', 'period_id', 'unit_id');
