//! What of a service can only be read at the moment: what is pending, what is at work.

use std::sync::Arc;

use jiff::Timestamp;
use opentelemetry::KeyValue;

use crate::figures::{self, TABLE};
use crate::service::board::Board;
use crate::service::now::Pending;
use crate::service::post::Post;

/// Lets those who read the figures of the process see these, too, as long as it lives.
pub(crate) fn show(board: &Arc<Board>, post: Option<&Post>) {
    let meter = &figures::of_process().meter;
    let count = |name: &'static str, what: &'static str| {
        meter.u64_observable_gauge(name).with_description(what)
    };
    let seconds = |name: &'static str, what: &'static str| {
        meter.f64_observable_gauge(name).with_unit("s").with_description(what)
    };
    if let Some(post) = post.cloned() {
        count("loader.messages.in_hand", "Messages that are worked on.")
            .with_callback(move |gauge| gauge.observe(post.in_hand() as u64, &[]))
            .build();
    }
    let at = Arc::clone(board);
    count("loader.tables.at_work", "Tables whose files are being loaded.")
        .with_callback(move |gauge| gauge.observe(at.now().at_work.len() as u64, &[]))
        .build();
    let at = Arc::clone(board);
    count("loader.files.pending", "Files that are to be loaded.")
        .with_callback(move |gauge| {
            for (table, pending) in at.now().pending {
                gauge.observe(pending.files as u64, &[KeyValue::new(TABLE, table)]);
            }
        })
        .build();
    let at = Arc::clone(board);
    seconds("loader.files.oldest", "Age of the oldest pending file.")
        .with_callback(move |gauge| {
            for (table, pending) in at.now().pending {
                gauge.observe(age_of_oldest(&pending), &[KeyValue::new(TABLE, table)]);
            }
        })
        .build();
    let at = Arc::clone(board);
    seconds("loader.listing.age", "Time since the bucket was last listed.")
        .with_callback(move |gauge| {
            if let Some(listed) = at.now().looked_at {
                gauge.observe(listed.elapsed().as_secs_f64(), &[]);
            }
        })
        .build();
}

/// In seconds; 0 where nothing is pending.
fn age_of_oldest(pending: &Pending) -> f64 {
    let oldest = pending.oldest.filter(|_| pending.files > 0);
    let age = oldest.map(|oldest| Timestamp::now().duration_since(oldest).as_secs_f64());
    age.unwrap_or_default().max(0.0)
}
