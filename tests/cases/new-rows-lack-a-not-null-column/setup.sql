CREATE TABLE {s}.t (id INTEGER NOT NULL, price DECIMAL(8,2), stock INTEGER NOT NULL, day DATE NOT NULL, note VARCHAR(40) NOT NULL DEFAULT 'none', run_date TIMESTAMP, file_name VARCHAR(256))
INSERT INTO {s}.t VALUES (1, 8.99, 5, '2025-01-31', 'keep me', NULL, NULL), (2, 2, 7, '2025-01-31', 'untouched', NULL, NULL)
