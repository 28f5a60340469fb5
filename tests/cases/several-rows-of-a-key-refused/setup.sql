CREATE TABLE {s}.t (id INTEGER, region VARCHAR(10), name VARCHAR(20))
INSERT INTO {s}.t VALUES (1, 'north', 'stays')
