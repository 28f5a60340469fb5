CREATE TABLE {s}.t (id INTEGER NOT NULL, at TIMESTAMPTZ, time_of_day TIME, doc SUPER, raw VARBYTE(16), code CHAR(4), run_date TIMESTAMP, file_name VARCHAR(256))
