//! DataFrames through plugins, in every version of Spark that there is: `tests/spark/dataframes.py`. Each
//! version also loads a file.

use libtest_mimic::{Failed, Trial};
use loader_tests::spark::{self, Cluster};
use loader_tests::{Place, Report, plugin, root};

pub(crate) fn trials() -> Vec<Trial> {
    let pythons = spark::pythons().into_iter().enumerate();
    let trials = pythons.map(|(number, python)| {
        Trial::test(format!("versions::{number}"), move || {
            let cluster = Cluster::start(&python);
            dataframes_go_through_plugins(&cluster);
            a_file_is_loaded(&cluster, number);
            Ok::<(), Failed>(())
        })
    });
    trials.collect()
}

fn dataframes_go_through_plugins(cluster: &Cluster) {
    let plugins = root().join("plugins");
    let script = root().join("tests/spark/dataframes.py");
    let ended = cluster.run(&script, &[&plugins.display().to_string()]);
    assert!(ended.stdout.contains("all is well"), "{}{}", ended.stdout, ended.stderr);
}

fn a_file_is_loaded(cluster: &Cluster, number: usize) {
    let driver = cluster.driver(&[]);
    let place = Place::new(&format!("spark-version-{number}"));
    let rows = (0..3000).map(|id| format!("{id},\"note\n{id}\"\n")).collect::<String>();
    place.put("orders.csv", format!("id,note\n{rows}"));
    let mut command = place.command("run", "orders.csv", "t");
    command.arg("--plugins").arg(plugin("default"));
    command.env("LOADER_ENGINE", "spark").env("LOADER_SPLIT_BYTES", "7000");
    let report = Report::of(driver.run(&command)).succeeded();
    assert_eq!(report.rows("inserted"), 3000, "Spark {}", driver.version);
}
