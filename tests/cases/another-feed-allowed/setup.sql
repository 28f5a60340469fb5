CREATE TABLE {s}.t (id INTEGER NOT NULL, name VARCHAR(20), amount DECIMAL(10,2), run_date TIMESTAMP, file_name VARCHAR(256))
INSERT INTO {s}.t VALUES (1, 'a', 1, NULL, NULL), (2, 'b', 2, NULL, NULL), (3, 'c', 3, NULL, NULL)
