//! The stand-in speaks the real protocols: a client that is not ours (boto3) does the Glue job's
//! steps by hand.

use std::process::Command;

use loader_tests::{Place, run, world};

#[test]
fn boto3_copies_from_s3_through_the_data_api() {
    let place = Place::new("boto3");
    let python = std::env::var_os("LOADER_TEST_PYTHON").unwrap_or_else(|| "python3".into());
    let script = loader_tests::root().join("tests/data/boto3_client.py");
    let mut command = Command::new(python);
    command.arg(script).args([&place.name, &place.schema()]).envs(world().endpoints().variables());
    let ended = run(&mut command);
    assert_eq!(
        ended.code, 0,
        "boto3 must be there, `cargo xtask test` installs it: {}",
        ended.stderr
    );
    assert_eq!(ended.stdout.trim(), "done");
    assert_eq!(place.value("SELECT SUM(amount) FROM {s}.t"), "0.30");
}
