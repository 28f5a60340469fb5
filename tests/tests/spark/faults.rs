//! What goes wrong on a cluster: workers die, one is slow, the driver dies, the file is replaced, a
//! plugin means harm. Each file is in its table once or not at all, and the table is what one machine
//! makes of the file.

use std::path::{Path, PathBuf};
use std::process::Command;

use libtest_mimic::{Failed, Trial};
use loader_tests::spark::{self, Cluster, Driver, Load};
use loader_tests::{Place, Report, plugin, program, root};
use tempfile::TempDir;

pub(crate) fn trials() -> Vec<Trial> {
    let killed = ["learn before", "stage before", "stage after"].map(|when| {
        let name = format!("faults::worker-killed-in-{}", when.replace(' ', "-"));
        Trial::test(name, move || a_killed_worker_loses_nothing(when))
    });
    let others = [
        Trial::test("faults::a-straggler-counts-once", a_straggler_counts_once),
        Trial::test("faults::a-killed-driver-can-be-run-again", a_killed_driver_can_be_run_again),
        Trial::test("faults::a-replaced-file-is-not-loaded", a_replaced_file_is_not_loaded),
        Trial::test("faults::a-hostile-plugin-is-tried-once", a_hostile_plugin_is_tried_once),
        Trial::test("faults::settings-that-end-the-sandbox", settings_that_end_the_sandbox),
    ];
    killed.into_iter().chain(others).collect()
}

/// A cluster whose workers do harm, and a driver.
struct Harm {
    driver: Driver,
    /// Ends after the driver.
    _cluster: Cluster,
    folder: TempDir,
}

impl Harm {
    fn new(what: &str, settings: &[&str]) -> Harm {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let python = spark::pythons().remove(0);
        let cluster = Cluster::start(&python);
        let mischief = root().join("tests/spark/mischief.py");
        let env = [
            ("LOADER_PROGRAM", mischief.display().to_string()),
            ("MISCHIEF_PROGRAM", program().display().to_string()),
            ("MISCHIEF_DIR", folder.path().display().to_string()),
            ("MISCHIEF", what.to_owned()),
        ];
        let env = env.map(|(name, value)| format!("spark.executorEnv.{name}={value}"));
        let settings: Vec<&str> =
            env.iter().map(String::as_str).chain(settings.iter().copied()).collect();
        let driver = cluster.driver(&settings);
        Harm { driver, _cluster: cluster, folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Waits until the harm is being done.
    fn wait(&self) {
        while !self.path("done").exists() {
            std::thread::yield_now();
        }
    }

    fn go_on(&self) {
        std::fs::write(self.path("go-on"), "").expect("can be written");
    }

    /// The tasks of a kind that came to a worker.
    fn tasks(&self, kind: &str) -> usize {
        let tasks = std::fs::read_to_string(self.path("tasks")).unwrap_or_default();
        tasks.lines().filter(|line| *line == kind).count()
    }
}

fn rows(from: u64) -> String {
    let row = |id: u64| format!("{id},{}.{:02},\"say \"\"{id}\"\",\nok\"\n", id * 7, id % 100);
    format!("id,amount,note\n{}", (from..from + 3000).map(row).collect::<String>())
}

fn command(place: &Place, table: &str, more: &[&str]) -> Command {
    let mut command = place.command("run", "orders.csv", table);
    command.arg("--plugins").arg(plugin("default")).args(["--upsert-keys", "id"]).args(more);
    command.env("LOADER_ENGINE", "spark").env("LOADER_SPLIT_BYTES", "20000");
    command
}

fn begin(harm: &Harm, place: &Place, more: &[&str]) -> Load {
    harm.driver.begin(&command(place, "on_cluster", more))
}

/// Whether the table is what one machine makes of the same file.
fn is_as_on_one_machine(place: &Place, content: &str) {
    place.put("orders.csv", content);
    let _ = place.load("orders.csv", "on_one_machine", &["--upsert-keys", "id"]).succeeded();
    let all = |table: &str| {
        place.select(&format!("SELECT id, amount, note, file_name FROM {{s}}.{table} ORDER BY id"))
    };
    assert_eq!(all("on_cluster"), all("on_one_machine"));
}

fn a_killed_worker_loses_nothing(when: &str) -> Result<(), Failed> {
    let harm = Harm::new(&format!("kill {when}"), &[]);
    let place = Place::new(&format!("spark-killed-{}", when.replace(' ', "-")));
    place.put("orders.csv", rows(0));
    let report = Report::of(begin(&harm, &place, &[]).wait()).succeeded();
    assert!(harm.path("done").exists(), "a worker was killed");
    assert_eq!((report.rows("read"), report.rows("inserted")), (3000, 3000));
    is_as_on_one_machine(&place, &rows(0));
    Ok(())
}

fn a_straggler_counts_once() -> Result<(), Failed> {
    let speculation = [
        "spark.speculation=true",
        "spark.speculation.quantile=0.5",
        "spark.speculation.multiplier=1.1",
        "spark.speculation.minTaskRuntime=50ms",
    ];
    let harm = Harm::new("hold stage after", &speculation);
    let place = Place::new("spark-straggler");
    place.put("orders.csv", rows(0));
    let report = Report::of(begin(&harm, &place, &["--keep-staging"]).wait()).succeeded();
    harm.go_on();
    assert_eq!((report.rows("staged"), report.rows("inserted")), (3000, 3000));
    let manifest: serde_json::Value = serde_json::from_str(&place.read_ending("manifest.json"))?;
    let listed = manifest["entries"].as_array().map_or(0, Vec::len);
    let parts = place.keys().iter().filter(|key| key.contains("/part-")).count();
    assert!(parts > listed, "{parts} parts are stored, and {listed} are in the manifest");
    is_as_on_one_machine(&place, &rows(0));
    Ok(())
}

fn a_killed_driver_can_be_run_again() -> Result<(), Failed> {
    let harm = Harm::new("hold stage before", &[]);
    let place = Place::new("spark-driver-killed");
    place.put("orders.csv", rows(0));
    let load = begin(&harm, &place, &[]);
    harm.wait();
    harm.driver.kill();
    harm.go_on();
    assert_eq!(load.wait().code, -1, "the driver is gone");
    let driver = Harm::new("none none none", &[]);
    let again = command(&place, "on_cluster", &[]);
    let report = Report::of(driver.driver.run(&again)).succeeded();
    assert_eq!(report.rows("inserted"), 3000);
    is_as_on_one_machine(&place, &rows(0));
    Ok(())
}

fn a_replaced_file_is_not_loaded() -> Result<(), Failed> {
    let harm = Harm::new("hold stage before", &[]);
    let place = Place::new("spark-replaced");
    place.put("orders.csv", rows(0));
    let load = begin(&harm, &place, &[]);
    harm.wait();
    place.put("orders.csv", rows(1_000_000));
    harm.go_on();
    let report = Report::of(load.wait());
    assert_eq!(report.ended.code, 4, "{}", report.error());
    assert!(report.error().contains("was replaced"), "{}", report.error());
    let tables = "SELECT count(*) AS n FROM svv_tables WHERE table_schema = '{s}' AND table_name = 'on_cluster'";
    assert_eq!(place.value(tables), "0", "nothing was made");
    let report = Report::of(harm.driver.run(&command(&place, "on_cluster", &[]))).succeeded();
    assert_eq!(report.rows("inserted"), 3000);
    is_as_on_one_machine(&place, &rows(1_000_000));
    Ok(())
}

fn a_hostile_plugin_is_tried_once() -> Result<(), Failed> {
    let harm = Harm::new("none none none", &[]);
    let place = Place::new("spark-hostile");
    place.put("orders.csv", rows(0));
    let mut hostile = place.command("run", "orders.csv", "on_cluster");
    let config = Path::new(env!("CARGO_TARGET_TMPDIR")).join("spark-hostile.json");
    std::fs::write(&config, r#"{"hostile":{"do":"panic-in-process"}}"#)?;
    hostile.arg("--plugins").arg(plugin("hostile")).arg("--plugin-config").arg(&config);
    hostile.env("LOADER_ENGINE", "spark").env("LOADER_SPLIT_BYTES", "1000000");
    let report = Report::of(harm.driver.run(&hostile));
    assert_eq!(report.ended.code, 2, "{}", report.error());
    assert_eq!(harm.tasks("stage"), 1, "a task is tried once");
    Ok(())
}

fn settings_that_end_the_sandbox() -> Result<(), Failed> {
    let harm = Harm::new("none none none", &["spark.executor.pyspark.memory=1g"]);
    let place = Place::new("spark-refused");
    place.put("orders.csv", rows(0));
    let ended = begin(&harm, &place, &[]).wait();
    assert_eq!(ended.code, 2, "{}", ended.stderr);
    assert!(ended.stderr.contains("spark.executor.pyspark.memory is 1g"), "{}", ended.stderr);
    Ok(())
}
