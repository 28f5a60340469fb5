CREATE TABLE {s}.t (id INTEGER NOT NULL, price DECIMAL(8,2), stock INTEGER, discontinued BOOLEAN, note VARCHAR(40), colour VARCHAR(8) DEFAULT 'red', run_date TIMESTAMP, file_name VARCHAR(256))
INSERT INTO {s}.t VALUES (1, 8.99, 5, TRUE, 'keep me', 'blue', NULL, NULL), (2, 2, 7, FALSE, 'untouched', NULL, NULL, NULL)
