-- Units whose figures changed since the day was judged; null: all of them, since it was rolled up whole.
ALTER TABLE mart.daily_rollup ADD COLUMN units_unjudged integer[];

-- What the days before a day lead to expect of it, as it was when the day was last judged whole: units that are restated
-- are held against it without reading months of all their peers again. A cache: whatever is not here is fitted anew.
CREATE TABLE quality.day_fit (
    stat_date date PRIMARY KEY,
    fitted_at timestamptz NOT NULL,
    made_with text NOT NULL,
    own bytea NOT NULL,
    totals bytea NOT NULL
);
ALTER TABLE quality.day_fit ALTER COLUMN own SET STORAGE EXTERNAL, ALTER COLUMN totals SET STORAGE EXTERNAL;
