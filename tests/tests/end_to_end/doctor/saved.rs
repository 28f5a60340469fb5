//! The file of `--save`: every answer, and nothing that tells whose it is.

use loader_tests::{Place, run};
use serde_json::Value;

use super::site::doctor;

#[test]
fn a_saved_examination_tells_nobody_whose_it_is() {
    let place = Place::new("mostsecret-bucket");
    place.put("orders.csv", "id,note\n1,a\n");
    let _ = place.load("orders.csv", "mostsecret_orders", &["--upsert-keys", "id"]).succeeded();
    let user = "mostsecret_user";
    for sql in [
        format!("CREATE USER {user} PASSWORD DISABLE"),
        format!("GRANT CREATE ON DATABASE dev TO {user}"),
    ] {
        place.execute(&sql);
    }
    let dir = tempfile::Builder::new().prefix("mostsecret").tempdir().expect("a folder");
    let file = dir.path().join("answers.json");
    let arguments = [
        &["--target-table", "mostsecret_orders", "--cluster-identifier", "mostsecret-cluster"][..],
        &["--db-user", user, "--iam-role", "arn:aws:iam::111122223333:role/mostsecret"],
        &["--save", file.to_str().expect("UTF-8")],
    ];
    let ended = run(&mut doctor(&place, &arguments.concat()));
    // The user has no rights in the schema, so messages with all the names are among the findings.
    assert_eq!(ended.code, 2, "{}\n{}", ended.stdout, ended.stderr);
    assert!(ended.stdout.contains("mostsecret_user"), "{}", ended.stdout);
    let saved = std::fs::read_to_string(&file).expect("the file");
    let parsed: Value = serde_json::from_str(&saved).expect("JSON");
    for secret in ["mostsecret", "111122223333", "000000000000", "arn:"] {
        let line = saved.lines().find(|line| line.to_lowercase().contains(secret));
        assert_eq!(line, None, "{secret} is in the file");
    }
    let printed: Value = serde_json::from_str(&ended.stdout).expect("JSON");
    let count = |json: &Value| json["findings"].as_array().map_or(0, Vec::len);
    assert_eq!(count(&parsed), count(&printed));
    assert!(parsed["warehouse"].as_str().is_some_and(|text| text.contains("PostgreSQL")));
}
