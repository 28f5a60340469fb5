CREATE TABLE {s}.t (id BIGINT NOT NULL, code VARCHAR(20), amount DECIMAL(10,2), day DATE, doc SUPER, kept VARCHAR(10), run_date TIMESTAMP, file_name VARCHAR(256))
INSERT INTO {s}.t (id, code, amount, kept) VALUES (1, 'old', 1.00, 'kept')
