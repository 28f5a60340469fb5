CREATE TABLE {s}.t (id INTEGER NOT NULL, name VARCHAR(4) NOT NULL, note VARCHAR(8), run_date TIMESTAMP, file_name VARCHAR(256))
INSERT INTO {s}.t (id, name, note) VALUES (1, 'a', 'old')
