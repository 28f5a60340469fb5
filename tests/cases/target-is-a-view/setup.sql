CREATE TABLE {s}.orders (id INTEGER)
CREATE VIEW {s}.t AS SELECT id FROM {s}.orders
