CREATE TABLE {s}.t (id INTEGER, "order id" INTEGER, "order-id" INTEGER)
