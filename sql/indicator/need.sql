-- For divisions of which depths each is needed.
CREATE TEMPORARY TABLE need ON COMMIT DROP AS
SELECT item.* FROM jsonb_to_recordset(CAST(:plan AS jsonb) -> 'needs') AS item (ref_id smallint, depth smallint)
