//! `ledger-days`: what ledger and fence forget, what they keep, and what then counts as new.

use std::fs::File;
use std::time::{Duration, SystemTime};

use loader_tests::{Place, world};
use serde_json::Value;

use super::{Project, files};

const TABLES: &str = "[tables.t]\nfiles = 't_*.csv'\n[tables.u]\nfiles = 'u_*.csv'\nledger-days = \
                      30\nfile-order = 'name'\n[tables.never]\nfiles = 'n_*.csv'\nledger-days = 5\n";

/// Makes the load of a file of `u` this many days old.
fn age(place: &Place, name: &str, days: u32) {
    let schema = place.schema();
    for table in ["loader_loads", "loader_fence_u"] {
        place.execute(&format!(
            "UPDATE {schema}.{table} SET loaded_at = loaded_at - INTERVAL '{days} days' WHERE \
             load_id IN (SELECT load_id FROM {schema}.loader_loads WHERE source_uri LIKE \
             '%{name}')"
        ));
    }
}

fn count(place: &Place, table: &str) -> String {
    place.value(&format!("SELECT COUNT(*) FROM {{s}}.{table}"))
}

/// What `prune` says of tables.
fn prune(project: &Project<'_>, arguments: &[&str]) -> Value {
    let arguments = [&["prune", "--report", "json"], arguments].concat();
    let ended = loader_tests::run(&mut project.command(&arguments));
    assert_eq!(ended.code, 0, "{ended:?}");
    serde_json::from_str(&ended.stdout).expect("JSON")
}

#[test]
fn old_loads_are_forgotten_and_the_last_one_is_not() {
    let place = Place::new("retention");
    let project = Project::new(&place, TABLES);
    for n in 1..=4 {
        place.put(&format!("u_{n}.csv"), format!("id\n{n}\n"));
        project.report(&["run"]);
    }
    place.put("t_1.csv", "id\n1\n");
    project.report(&["run"]);
    for (name, days) in [("u_1.csv", 100), ("u_2.csv", 40), ("u_3.csv", 35), ("u_4.csv", 32)] {
        age(&place, name, days);
    }
    let dry = prune(&project, &["--dry-run"]);
    let loads = |report: &Value, table: &str| {
        let tables = report["tables"].as_array().expect("tables");
        tables.iter().find(|of| of["table"] == table).map(|of| of["loads"].clone())
    };
    assert_eq!(loads(&dry, "u"), Some(3.into()), "{dry}");
    assert_eq!((loads(&dry, "never"), loads(&dry, "t")), (None, None), "{dry}");
    assert_eq!([count(&place, "loader_loads"), count(&place, "loader_fence_u")], ["5", "4"]);

    // A file that waits since 38 days may have been loaded since then, and not archived.
    place.put("x.csv", "id\n1\n");
    let waits = world().dir().join(&place.name).join("data/in/x.csv");
    let long_ago = SystemTime::now() - Duration::from_secs(38 * 24 * 60 * 60);
    File::options()
        .write(true)
        .open(&waits)
        .expect("opens")
        .set_modified(long_ago)
        .expect("is set");
    assert_eq!(loads(&prune(&project, &["--dry-run"]), "u"), Some(2.into()));
    std::fs::remove_file(waits).expect("is removed");

    assert_eq!(loads(&prune(&project, &[]), "u"), Some(3.into()));
    assert_eq!(count(&place, "loader_loads"), "2");
    assert_eq!(count(&place, "loader_fence_u"), "0");
    assert_eq!(count(&place, "job_sts"), "5");
    // What was forgotten counts as new, and the last one is known.
    for n in [1, 4] {
        place.put(&format!("u_{n}.csv"), format!("id\n{n}\n"));
    }
    let again = project.report(&["run"]);
    assert_eq!(files(&again), ["u_1.csv u loaded 0", "u_4.csv u already_loaded 0"]);
    // What came after a file that was put aside is known by the audit table, too.
    place.put("u_8.csv", "id\n8,8\n");
    assert_eq!(project.report(&["run"])["exit_code"], 3);
    place.put("u_8.csv", "id\n8\n");
    assert_eq!(project.report(&["run"])["exit_code"], 0);
    place.put("u_9.csv", "id\n9\n");
    project.report(&["run"]);
    age(&place, "u_8.csv", 100);
    assert!(loads(&prune(&project, &[]), "u").is_some());
    let ended = loader_tests::run(&mut project.command(&["retry", "u_8.csv"]));
    assert_eq!(ended.code, 2, "{ended:?}");
    assert!(ended.stderr.contains("a later file of the name u_8.csv was loaded"), "{ended:?}");
    let ended = loader_tests::run(&mut project.command(&["prune", "t"]));
    assert_eq!(ended.code, 2, "{ended:?}");
    assert!(ended.stderr.contains("none of these tables has `ledger-days`"), "{ended:?}");
}
