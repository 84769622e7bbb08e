-- When the source received what is held back: let go, it is judged by that time, also where nothing else of its submission
-- was taken.
ALTER TABLE quality.quarantine ADD COLUMN received_at timestamptz;
UPDATE quality.quarantine SET received_at = batch.received_at FROM landing.batch WHERE batch.batch_id = quarantine.batch_id;
