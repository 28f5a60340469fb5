CREATE TABLE {s}.t (id INTEGER NOT NULL, price DECIMAL(8,2), stock INTEGER, n BIGINT IDENTITY(1,1), run_date TIMESTAMP, file_name VARCHAR(256))
INSERT INTO {s}.t (id, price, stock) VALUES (1, 8.99, 5)
