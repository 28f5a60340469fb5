CREATE TABLE {s}.t (id INTEGER NOT NULL, quantity SMALLINT, note VARCHAR(8), run_date TIMESTAMP, file_name VARCHAR(256))
INSERT INTO {s}.t (id, quantity, note) VALUES (1, 1, 'old')
