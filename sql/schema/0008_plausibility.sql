-- Flags that ask: what a figure looks like beside its own history, queued by what it does to the published total, each with
-- who is asked, by when, and what was answered. Flags of the gate stay as they are, without a score.
ALTER TABLE quality.flag
    ALTER COLUMN batch_id DROP NOT NULL,
    ADD COLUMN level text,
    ADD COLUMN measure text,
    ADD COLUMN channel text,
    -- The figure in question; with the day, the unit, the rule and the cell it says which flag this is.
    ADD COLUMN value bigint,
    -- What the published total would change by if the figure were what was expected, in the measure's unit of count.
    ADD COLUMN effect bigint,
    -- The effect as a share of the usual daily total of the highest division: the order of the queue.
    ADD COLUMN score double precision,
    ADD COLUMN assignee text,
    ADD COLUMN due_date date,
    ADD COLUMN explanation text,
    ADD COLUMN explained_by text,
    ADD COLUMN explained_at timestamptz,
    ADD COLUMN closed_by text,
    ADD COLUMN closed_at timestamptz,
    ADD COLUMN closing_reason text,
    ADD CONSTRAINT queued_flag_is_whole CHECK (
        score IS NULL OR num_nulls(unit_code, level, effect, assignee, due_date) = 0
    ),
    ADD CONSTRAINT explained_flag_has_explanation CHECK (
        state <> 'explained' OR num_nulls(explanation, explained_by, explained_at) = 0
    ),
    ADD CONSTRAINT closed_flag_has_reason CHECK (
        score IS NULL OR (state = 'closed') = (num_nulls(closed_by, closed_at, closing_reason) = 0)
    );

ALTER TABLE quality.flag DROP CONSTRAINT flag_batch_id_unit_code_check_code_message_key;
CREATE UNIQUE INDEX one_remark ON quality.flag (batch_id, unit_code, check_code, message)
    NULLS NOT DISTINCT WHERE score IS NULL;
CREATE UNIQUE INDEX one_question ON quality.flag (stat_date, unit_code, check_code, measure, channel, value)
    NULLS NOT DISTINCT WHERE score IS NOT NULL;
CREATE INDEX open_questions ON quality.flag (score DESC) WHERE score IS NOT NULL AND state <> 'closed';
CREATE INDEX questions_of_unit ON quality.flag (unit_code, check_code, stat_date) WHERE score IS NOT NULL;

-- Figures that the checks over the year to date compare, summed by month, for every unit that has any: a year to date is
-- at most twelve of them. Made from core.submission again whenever a day of the month is judged.
CREATE TABLE quality.month_sum (
    unit_id integer NOT NULL REFERENCES core.division,
    month date NOT NULL,
    measure_id smallint NOT NULL REFERENCES core.measure,
    value bigint NOT NULL,
    PRIMARY KEY (unit_id, month, measure_id)
);

-- A day whose figures were rolled up again after they were judged waits to be judged.
ALTER TABLE mart.daily_rollup ADD COLUMN judged_at timestamptz;
UPDATE mart.daily_rollup SET judged_at = rolled_up_at;
