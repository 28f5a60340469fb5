CREATE TABLE {s}.t (code VARCHAR(256), n INTEGER)
INSERT INTO {s}.t VALUES ('7', 1), ('"say ""hi"""', 2), ('9', 3)
