-- Objects that the archive held until their time was over: everything that they said was found in the warehouse again.
CREATE TABLE landing.dropped_object (
    sha256 text PRIMARY KEY CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    bytes bigint NOT NULL,
    -- Rows that were read from it for the last time and found.
    rows_found integer NOT NULL,
    dropped_at timestamptz NOT NULL
);
