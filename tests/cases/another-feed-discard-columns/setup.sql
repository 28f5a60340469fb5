CREATE TABLE {s}.t (id INTEGER, name VARCHAR(20), run_date TIMESTAMP, file_name VARCHAR(256))
CREATE TABLE {s}.countries (country VARCHAR(20), capital VARCHAR(20))
