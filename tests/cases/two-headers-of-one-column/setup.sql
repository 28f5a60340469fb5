CREATE TABLE {s}.t ("order id" INTEGER, "order_no" INTEGER)
