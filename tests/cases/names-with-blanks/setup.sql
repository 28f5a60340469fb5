CREATE TABLE {s}.t ("order id" INTEGER, "customer name" VARCHAR(40), run_date TIMESTAMP, file_name VARCHAR(256))
INSERT INTO {s}.t VALUES (1, 'Ann', NULL, NULL)
