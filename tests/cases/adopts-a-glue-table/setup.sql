CREATE TABLE IF NOT EXISTS {s}.t (customer_id INTEGER NOT NULL, customer_name VARCHAR(256), email VARCHAR(256), total_amount DECIMAL(38,18), run_date TIMESTAMP, file_name VARCHAR(256))
INSERT INTO {s}.t VALUES (1, 'Ann', 'ann@example.com', 10.5, '2024-12-31 10:00:00', 'customers.csv')
CREATE TABLE {s}.JOB_STS (run_id BIGINT, job_id VARCHAR(256), run_start_ts TIMESTAMP, run_end_ts TIMESTAMP, source_filename VARCHAR(256), target_table_name VARCHAR(256), records_read INTEGER, records_updated INTEGER, records_inserted INTEGER, status VARCHAR(50), error_message VARCHAR(MAX))
INSERT INTO {s}.JOB_STS VALUES (1735639200, 'JOB001', '2024-12-31 10:00:00', '2024-12-31 10:05:00', 'customers.csv', 't', 1, 0, 1, 'SUCCESS', 'NULL')
