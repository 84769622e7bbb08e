-- What figures are about: divisions with their validity, and what the catalogue declares.
-- The catalogue tables are written by `python -m etl init` and by every run; the YAML files are the source.
CREATE SCHEMA core;

CREATE TABLE core.level (
    level text PRIMARY KEY,
    depth smallint NOT NULL UNIQUE
);
INSERT INTO core.level VALUES ('province', 1), ('city', 2), ('county', 3), ('township', 4), ('village', 5);

CREATE TABLE core.division (
    division_id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    division_code text NOT NULL UNIQUE CHECK (division_code ~ '^[0-9]{12}$')
);

-- One row per division and stretch of time in which name, level and parent stay the same; valid_to is exclusive.
CREATE TABLE core.division_period (
    division_id integer NOT NULL REFERENCES core.division,
    valid_from date NOT NULL,
    valid_to date NOT NULL DEFAULT 'infinity',
    division_name text NOT NULL,
    level text NOT NULL REFERENCES core.level,
    parent_id integer REFERENCES core.division,
    PRIMARY KEY (division_id, valid_from),
    CHECK (valid_from < valid_to),
    CHECK (level <> 'province' OR parent_id IS NULL)
);
CREATE INDEX ON core.division_period (parent_id);

CREATE TABLE core.measure (
    measure_id smallint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    measure text NOT NULL UNIQUE,
    measure_name text NOT NULL,
    unit text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('flow', 'survey', 'stock')),
    position smallint NOT NULL
);

-- Channel 0 is the total over channels.
CREATE TABLE core.channel (
    channel_id smallint PRIMARY KEY,
    channel text NOT NULL UNIQUE,
    channel_name text NOT NULL
);
INSERT INTO core.channel VALUES (0, 'all', '合计');

-- A measure in a channel: the small integer that figures carry.
CREATE TABLE core.cell (
    cell_id smallint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    measure_id smallint NOT NULL REFERENCES core.measure,
    channel_id smallint NOT NULL REFERENCES core.channel,
    UNIQUE (measure_id, channel_id)
);

CREATE TABLE core.platform (
    platform_id smallint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    platform text NOT NULL UNIQUE,
    family text NOT NULL,
    levels text[] NOT NULL,
    datasets text[] NOT NULL,
    area text[] NOT NULL,
    is_declared boolean NOT NULL DEFAULT true
);
