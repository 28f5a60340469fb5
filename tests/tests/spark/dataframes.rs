//! DataFrames through plugins, in every version of Spark that there is, and on Sail:
//! `tests/spark/dataframes.py`. Each also loads a file.

use libtest_mimic::{Failed, Trial};
use loader_tests::spark::{self, Cluster, Driver, Sail};
use loader_tests::{Ended, Place, Report, plugin, root};

pub(crate) fn trials() -> Vec<Trial> {
    let pythons = spark::pythons().into_iter().enumerate();
    let trials = pythons.map(|(number, python)| {
        Trial::test(format!("versions::spark-{number}"), move || {
            let cluster = Cluster::start(&python);
            dataframes_go_through_plugins(|plugins| {
                cluster.run(&root().join("tests/spark/dataframes.py"), &[plugins])
            });
            a_file_is_loaded(&cluster.driver(&[]), &format!("spark-{number}"));
            Ok::<(), Failed>(())
        })
    });
    let sail = Trial::test("versions::sail", || {
        let sail = spark::pythons().iter().find_map(|python| Sail::start(python));
        let Some(sail) = sail else { return Err("there is no Sail beside any Spark".into()) };
        dataframes_go_through_plugins(|plugins| {
            sail.run(&root().join("tests/spark/dataframes.py"), &[plugins])
        });
        a_file_is_loaded(&sail.driver(), "sail");
        Ok(())
    });
    trials.chain([sail]).collect()
}

fn dataframes_go_through_plugins(run: impl Fn(&str) -> Ended) {
    let plugins = root().join("plugins");
    let ended = run(&plugins.display().to_string());
    assert!(ended.stdout.contains("all is well"), "{}{}", ended.stdout, ended.stderr);
}

fn a_file_is_loaded(driver: &Driver, name: &str) {
    let place = Place::new(&format!("spark-version-{name}"));
    let rows = (0..3000).map(|id| format!("{id},\"note\n{id}\"\n")).collect::<String>();
    place.put("orders.csv", format!("id,note\n{rows}"));
    let mut command = place.command("run", "orders.csv", "t");
    command.arg("--plugins").arg(plugin("default"));
    command.env("LOADER_ENGINE", "spark").env("LOADER_SPLIT_BYTES", "7000");
    let report = Report::of(driver.run(&command)).succeeded();
    assert_eq!(report.rows("inserted"), 3000, "{name} {}", driver.version);
}
