CREATE TABLE {s}.t (id INTEGER NOT NULL, paid_on VARCHAR(251), run_date TIMESTAMP, file_name VARCHAR(256)) SORTKEY (paid_on)
