-- The figures that formulas need. No row: missing. share: of the units that should say something, how many did (stocks).
CREATE TEMPORARY TABLE base (
    ref_id smallint NOT NULL,
    division_id integer NOT NULL,
    value numeric NOT NULL,
    share numeric,
    note_zh text
) ON COMMIT DROP
