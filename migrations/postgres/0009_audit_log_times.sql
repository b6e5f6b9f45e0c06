-- How many events of its kind an event stands for.
ALTER TABLE audit_log ADD COLUMN times bigint NOT NULL DEFAULT 1;
