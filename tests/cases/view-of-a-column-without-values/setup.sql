CREATE TABLE {s}.t (id INTEGER NOT NULL, paid_on VARCHAR(251), run_date TIMESTAMP, file_name VARCHAR(256))
COMMENT ON COLUMN {s}.t.paid_on IS 'day of payment'
CREATE VIEW {s}.v AS SELECT paid_on, id FROM {s}.t
