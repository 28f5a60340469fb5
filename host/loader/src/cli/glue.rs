//! A command line as a Glue job had it: flags with underscores, and arguments that are for Glue and
//! not for the job.
//!
//! In: what was typed. Out: what the parser takes, and the names of Glue's arguments that were left
//! out.

use std::ffi::OsString;

/// The commands that load, as the job did.
const LOADS: [&str; 4] = ["run", "plan", "retry", "stage"];

/// The job's own arguments with an underscore in their names. Where one stands as the job wrote it,
/// the command line is a job's.
const OF_THE_JOB: [&str; 10] = [
    "--job_id",
    "--job_name",
    "--source_file_name",
    "--target_table",
    "--upsert_keys",
    "--workgroup_name",
    "--secret_arn",
    "--iam_role",
    "--schema_name",
    "--src_bucket",
];

/// The arguments that Glue takes for itself.
/// Source: <https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-etl-glue-arguments.html>
/// (`JOB_ID` and others in capitals are what Glue itself adds to a script's arguments.)
const OF_GLUE: [&str; 54] = [
    "--additional-python-modules",
    "--auto-scale-within-microbatch",
    "--class",
    "--conf",
    "--connection-names",
    "--continuous-log-conversionPattern",
    "--continuous-log-logGroup",
    "--continuous-log-logStreamPrefix",
    "--customer-driver-env-vars",
    "--customer-executor-env-vars",
    "--datalake-formats",
    "--debug",
    "--disable-proxy",
    "--disable-proxy-v2",
    "--enable-auto-scaling",
    "--enable-continuous-cloudwatch-log",
    "--enable-continuous-log-filter",
    "--enable-glue-datacatalog",
    "--enable-job-insights",
    "--enable-lakeformation-fine-grained-access",
    "--enable-metrics",
    "--enable-observability-metrics",
    "--enable-rename-algorithm-v2",
    "--enable-s3-parquet-optimized-committer",
    "--enable-spark-ui",
    "--encryption-type",
    "--endpoint",
    "--executor-cores",
    "--extra-files",
    "--extra-jars",
    "--extra-py-files",
    "--job-bookmark-from",
    "--job-bookmark-option",
    "--job-bookmark-to",
    "--job-language",
    "--library-set",
    "--mode",
    "--python-modules-installer-option",
    "--RedshiftTempDir",
    "--scriptLocation",
    "--spark-event-logs-path",
    "--TempDir",
    "--use-postgres-driver",
    "--user-jars-first",
    "--write-shuffle-files-to-s3",
    "--write-shuffle-spills-to-s3",
    "--JOB_ID",
    "--JOB_NAME",
    "--JOB_RUN_ID",
    "--ROLE_ARN",
    "--SECURITY_CONFIGURATION",
    "--WORKFLOW_NAME",
    "--WORKFLOW_RUN_ID",
    "--number-of-workers",
];

/// What was typed.
pub struct Typed {
    /// What the parser takes.
    pub arguments: Vec<OsString>,
    /// Glue's own arguments, which are left out.
    pub for_glue: Vec<String>,
}

/// Reads a command line. Flags may be written with underscores, as the Glue job's are:
/// `--target_table` becomes `--target-table`. A load's command line with such flags of the job may
/// also have Glue's own arguments. (Elsewhere these are typing errors, which the parser names.)
pub fn typed(arguments: impl Iterator<Item = OsString>) -> Typed {
    let mut arguments: Vec<OsString> = arguments.collect();
    let for_glue = if is_of_a_job(&arguments) { take_for_glue(&mut arguments) } else { Vec::new() };
    Typed { arguments: arguments.into_iter().map(with_dashes).collect(), for_glue }
}

fn is_of_a_job(arguments: &[OsString]) -> bool {
    let texts = || arguments.iter().skip(1).filter_map(|argument| argument.to_str());
    let loads =
        texts().find(|text| !text.starts_with('-')).is_some_and(|verb| LOADS.contains(&verb));
    loads && texts().any(|text| OF_THE_JOB.contains(&flag(text)))
}

/// Takes Glue's arguments out, with their values: what stands behind such a flag and is no flag.
fn take_for_glue(arguments: &mut Vec<OsString>) -> Vec<String> {
    let (mut taken, mut awaits_value) = (Vec::new(), false);
    arguments.retain(|argument| {
        let text = argument.to_str().unwrap_or_default();
        if OF_GLUE.contains(&flag(text)) {
            if !taken.iter().any(|known| known == flag(text)) {
                taken.push(flag(text).to_owned());
            }
            awaits_value = !text.contains('=');
            return false;
        }
        let is_value = awaits_value && !text.starts_with("--");
        awaits_value = false;
        !is_value
    });
    taken
}

/// A flag without its value: `--conf=a` is `--conf`.
pub(super) fn flag(text: &str) -> &str {
    text.split_once('=').map_or(text, |(flag, _)| flag)
}

fn with_dashes(argument: OsString) -> OsString {
    match argument.to_str() {
        Some(text) if text.starts_with("--") => {
            // Only the name of the flag changes. In `--upsert-keys=order_id` the value is a
            // column's name, which must keep its underscore.
            let (name, value) = text.split_at(flag(text).len());
            format!("{}{value}", name.replace('_', "-")).into()
        }
        _ => argument,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> (String, String) {
        let typed = typed(line.split(' ').map(OsString::from));
        let arguments: Vec<_> = typed.arguments.iter().map(|part| part.to_string_lossy()).collect();
        (arguments.join(" "), typed.for_glue.join(" "))
    }

    #[test]
    fn what_is_for_glue_is_left_out_of_a_jobs_command_line() {
        let (arguments, for_glue) = read(
            "loader run --TempDir s3://b/t/ --target_table t_x --enable-metrics --JOB_NAME=n \
             --upsert_keys=[\"a_b\"] --conf spark.a=b --enable-spark-ui true --conf spark.c=d \
             --job_name nightly",
        );
        assert_eq!(
            arguments,
            "loader run --target-table t_x --upsert-keys=[\"a_b\"] --job-name nightly"
        );
        assert_eq!(for_glue, "--TempDir --enable-metrics --JOB_NAME --conf --enable-spark-ui");
    }

    #[test]
    fn other_command_lines_keep_what_was_typed() {
        for line in [
            "loader run --TempDir x --target-table t",
            "loader local --mode x --target-table t",
            "loader run --target-table --TempDir",
        ] {
            assert_eq!(read(line), (line.to_owned(), String::new()));
        }
        let (arguments, _) = read("loader local --job_name x --mode y");
        assert_eq!(arguments, "loader local --job-name x --mode y");
    }
}
