CREATE TABLE {s}.t (id INTEGER NOT NULL, status VARCHAR(5) NOT NULL DEFAULT 'new', run_date TIMESTAMP, file_name VARCHAR(256))
INSERT INTO {s}.t VALUES (1, 'old', '2025-01-01 00:00:00', 'before.csv')
