//! The files of the demo's story, and the queries that show what became of them.

use crate::report::Status;

/// A file of the story, and what is to be seen with it.
pub(super) struct Chapter {
    pub(super) title: &'static str,
    /// What is special about the file.
    pub(super) about: &'static str,
    pub(super) name: &'static str,
    pub(super) content: &'static str,
    /// What the analysts did in the warehouse before it came.
    pub(super) before: &'static [&'static str],
    /// How its load must end, so that the story is true.
    pub(super) ends: Status,
    pub(super) shows_bucket: bool,
}

pub(super) const CHAPTERS: [Chapter; 4] = [
    Chapter {
        title: "A file arrives, and there is no table yet",
        about: "Its headers are no column names, and its amounts must stay exact.",
        name: "orders.csv",
        content: include_str!("../../../demo/orders.csv"),
        before: &[],
        ends: Status::Success,
        shows_bucket: true,
    },
    Chapter {
        title: "A correction arrives",
        about: "One order changed, one is new, and one of them is there twice: the last row wins.",
        name: "orders_corrected.csv",
        content: include_str!("../../../demo/orders_corrected.csv"),
        before: &[],
        ends: Status::Success,
        shows_bucket: false,
    },
    Chapter {
        title: "A file arrives in another shape",
        about: "An order number is past INTEGER, a column is new, one is gone, and a view reads \
                the table.",
        name: "orders_reshaped.csv",
        content: include_str!("../../../demo/orders_reshaped.csv"),
        before: &[
            "CREATE VIEW order_sums AS SELECT order_id, amount + tax AS total FROM orders",
            "CREATE GROUP analysts",
            "GRANT SELECT ON order_sums TO GROUP analysts",
        ],
        ends: Status::Success,
        shows_bucket: false,
    },
    Chapter {
        title: "A broken file arrives",
        about: "1e20 has 21 digits before the point, and DECIMAL(38,18) holds 20.",
        name: "orders_broken.csv",
        content: include_str!("../../../demo/orders_broken.csv"),
        before: &[],
        ends: Status::Failed,
        shows_bucket: true,
    },
];

/// The title of the last chapter, in which the first file comes again.
pub(super) const FIRST_FILE_AGAIN: &str = "The first file is delivered a second time";

pub(super) const ORDERS: &str =
    "SELECT order_id, customer_name, amount, zip FROM orders ORDER BY order_id";

pub(super) const VIEW: &str = "SELECT * FROM order_sums ORDER BY order_id DESC LIMIT 2";

pub(super) const PRIVILEGES: &str = "SELECT relation_name, privilege_type, identity_type, identity_name FROM \
     svv_relation_privileges WHERE relation_name = 'order_sums' AND identity_type = 'group'";

pub(super) const AUDIT: &str = "SELECT source_filename, status, records_read AS read, records_inserted AS inserted, \
     records_updated AS updated FROM job_sts ORDER BY run_id";

pub(super) const SUMS: &str =
    "SELECT SUM(amount) AS amount, SUM(tax) AS tax, SUM(amount) + SUM(tax) AS total FROM orders";
