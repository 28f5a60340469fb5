//! What no public source says: an answer that is otherwise is told with what was expected, and only
//! a superuser can ask some of it.

use loader_tests::proxy::Proxy;
use loader_tests::{Place, run};

use super::site::{Findings, doctor, endpoints, remote_doctor};

#[test]
fn an_answer_that_is_otherwise_is_told_and_no_failure() {
    let place = Place::new("doctor-otherwise");
    let from = "2024-02-28 23:02:03+00";
    let proxy = Proxy::replacing(&endpoints().redshift_data, from, "2024-02-29 00:02:03+01");
    let only = ["--only", "answers"];
    let mut command = remote_doctor(&place, &endpoints().s3, &proxy.url, &only);
    let findings = Findings::of(run(&mut command));
    assert_eq!(findings.failed(), "");
    let told: Vec<String> = findings.json["findings"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|finding| finding["outcome"] == "told")
        .map(|finding| {
            let text = |key: &str| finding[key].as_str().unwrap_or_default();
            format!("{}\n{}\n{}\n{}", text("probe"), text("seen"), text("expected"), text("source"))
        })
        .collect();
    insta::assert_snapshot!(told.join("\n\n"), @r#"
    execution: a timestamp with time zone is shown in UTC
    SELECT '2024-02-29 01:02:03+02'::timestamptz gives columns timestamptz timestamptz, rows ["2024-02-29 00:02:03+01"]
    rows ["2024-02-28 23:02:03+00"]
    https://github.com/grafana/redshift-datasource
    "#);
}

#[test]
fn what_only_a_superuser_can_ask_is_skipped_for_others() {
    let place = Place::new("doctor-no-superuser");
    let user = format!("{}_u", place.schema());
    place.execute(&format!("CREATE USER {user} PASSWORD DISABLE"));
    place.execute(&format!("GRANT CREATE ON DATABASE dev TO {user}"));
    let as_user = ["--cluster-identifier", "c", "--db-user", &user];
    let only = ["--only", "answers,refusals"];
    let findings = Findings::of(run(&mut doctor(&place, &[&only[..], &as_user].concat())));
    assert_eq!(findings.failed(), "");
    insta::assert_snapshot!(findings.skipped(), @"
    grants: a column's grants go with it: only a superuser can ask
    grants: a user, a group and a role may have one name: only a superuser can ask
    isolation: a LOCK needs a right to change rows, and the right to insert is not enough: only a superuser can ask
    ");
}
