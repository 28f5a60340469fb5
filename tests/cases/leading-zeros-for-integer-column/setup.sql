CREATE TABLE {s}.t (id INTEGER NOT NULL, name VARCHAR(8), amount DECIMAL(6,2), run_date TIMESTAMP, file_name VARCHAR(256))
INSERT INTO {s}.t (id, name, amount) VALUES (1, 'old', 1.5)
