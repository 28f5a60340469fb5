//! `loader demo`: a load told in four files, on the stand-in; everything in it is the real thing.

use std::io::BufRead;
use std::path::{Path, PathBuf};

use loader_aws::connect as aws;
use loader_aws::data_api::DataApi;
use loader_aws::s3::Store;
use loader_aws::stop::Stop;
use loader_csv::ColumnProfile;
use loader_data::plan::PlannedColumn;
use loader_model::choices::ReportFormat;
use loader_model::column_type::ColumnType;
use loader_model::error::{Context, Error, Kind, Result};
use loader_model::names::S3Uri;

use crate::cli::{DemoArgs, RowFormat};
use crate::commands::plan::render as plan_text;
use crate::commands::{conclude, print, run, sql};
use crate::data_path::{DataPath, chain};
use crate::job::Job;
use crate::preview::preview;
use crate::report::log::RunLog;
use crate::report::{Report, Status};
use crate::settings::{Keys, Settings};
use crate::tools::blocking;

const BUCKET: &str = "demo";
const TABLE: &str = "orders";

const ORDERS: &str =
    "SELECT order_id, customer_name, amount, tax, zip FROM orders ORDER BY order_id";
const VIEW: &str = "SELECT * FROM order_sums ORDER BY order_id DESC LIMIT 2";
const PRIVILEGES: &str = "SELECT relation_name, privilege_type, identity_type, identity_name FROM \
                          svv_relation_privileges WHERE relation_name = 'order_sums' AND \
                          identity_type = 'group'";
const AUDIT: &str = "SELECT source_filename, status, records_read AS read, records_inserted AS \
                     inserted, records_updated AS updated, SUBSTRING(error_message, 1, 60) AS \
                     error FROM job_sts ORDER BY run_id";

/// A file of the story, and what is to be seen with it.
struct Chapter {
    title: &'static str,
    name: &'static str,
    content: &'static str,
    /// What people did in the warehouse before it came.
    before: &'static [&'static str],
    /// How its load must end, so that the story is true.
    ends: Status,
}

const CHAPTERS: [Chapter; 4] = [
    Chapter {
        title: "a file arrives, and there is no table yet",
        name: "orders.csv",
        content: include_str!("../../demo/orders.csv"),
        before: &[],
        ends: Status::Success,
    },
    Chapter {
        title: "a correction arrives: one order changed, one new, one of them twice",
        name: "orders_corrected.csv",
        content: include_str!("../../demo/orders_corrected.csv"),
        before: &[],
        ends: Status::Success,
    },
    Chapter {
        title: "a file arrives in another shape: order numbers past INTEGER, a new column, one \
                gone; and a view reads the table",
        name: "orders_reshaped.csv",
        content: include_str!("../../demo/orders_reshaped.csv"),
        before: &[
            "CREATE VIEW order_sums AS SELECT order_id, amount + tax AS total FROM orders",
            "CREATE GROUP analysts",
            "GRANT SELECT ON order_sums TO GROUP analysts",
        ],
        ends: Status::Success,
    },
    Chapter {
        title: "a broken file arrives: 1e20 has 21 digits before the point, DECIMAL(38,18) holds \
                20",
        name: "orders_broken.csv",
        content: include_str!("../../demo/orders_broken.csv"),
        before: &[],
        ends: Status::Failed,
    },
];

/// Tells the story. Fails when a load does not end as the story says.
pub async fn run(args: DemoArgs, stop: Stop, log: &RunLog) -> u8 {
    conclude(tell(args, stop, log).await)
}

async fn tell(args: DemoArgs, stop: Stop, log: &RunLog) -> Result<()> {
    let temporary =
        tempfile::tempdir().context(Kind::Internal, "no temporary folder can be made")?;
    let dir = args.dir.clone().unwrap_or_else(|| temporary.path().to_path_buf());
    let story = Story::begin(&dir, args.plugins, args.pause, stop).await?;
    for (number, chapter) in (1..).zip(&CHAPTERS) {
        story.chapter(number, chapter, log).await?;
    }
    story.first_file_again(log).await?;
    print(&farewell(args.dir.as_deref()));
    Ok(())
}

/// What becomes of the demo's folder. `kept`: the folder that the user named with `--dir`.
fn farewell(kept: Option<&Path>) -> String {
    match kept {
        Some(dir) => {
            format!("That was all of it. To look around: loader local --dir {}\n", dir.display())
        }
        None => "That was all of it, and its folder is gone. Keep it with --dir DIR.\n".to_owned(),
    }
}

/// The story while it is told: where it plays, and how it is told.
struct Story {
    dir: PathBuf,
    plugins: PathBuf,
    pause: bool,
    store: Store,
    api: DataApi,
    stop: Stop,
}

impl Story {
    async fn begin(dir: &Path, plugins: PathBuf, pause: bool, stop: Stop) -> Result<Story> {
        heading("The stage: S3, the Redshift Data API and PostgreSQL on this machine");
        let settings = settings(dir, &plugins, CHAPTERS[0].name);
        let warehouse = Job::decide(settings)?.warehouse;
        let aws = aws::connect(&warehouse.access).await?;
        if let Some(endpoints) = &aws.endpoints {
            print(&format!(
                "S3          {}\nData API    {}\nfiles       {}\n",
                endpoints.s3,
                endpoints.redshift_data,
                dir.display()
            ));
        }
        let store = Store::new(&aws);
        store.create_bucket(BUCKET).await?;
        let api = DataApi::new(&aws, &warehouse.database, "loader demo", stop.clone());
        Ok(Story { dir: dir.to_path_buf(), plugins, pause, store, api, stop })
    }

    async fn chapter(&self, number: usize, chapter: &Chapter, log: &RunLog) -> Result<()> {
        self.turn_page();
        heading(&format!("{number}. {}", chapter.title));
        let source = self.deliver(chapter).await?;
        print(&format!("{source}\n{}\n", indented(chapter.content)));
        if number == 1 {
            print(&self.transformation(chapter).await?);
            self.turn_page();
        }
        if !chapter.before.is_empty() {
            self.meanwhile(chapter).await?;
            self.plan(chapter, log).await?;
            self.turn_page();
        }
        let report = self.load(chapter.name, chapter.ends, log).await?;
        print(&report.render(ReportFormat::Human));
        self.turn_page();
        self.show_outcome(chapter).await
    }

    /// The same file once more: nothing may happen.
    async fn first_file_again(&self, log: &RunLog) -> Result<()> {
        self.turn_page();
        heading("5. the first file is delivered a second time");
        let first = &CHAPTERS[0];
        self.deliver(first).await?;
        let report = self.load(first.name, Status::AlreadyLoaded, log).await?;
        print(&format!("{}\n", report.render(ReportFormat::Human)));
        let sums = "SELECT COUNT(*) AS orders, SUM(amount) AS amount, SUM(amount + tax) AS total \
                    FROM orders";
        self.show("Every digit is still there (0.1 + 0.2 is 0.3)", sums).await
    }

    /// Puts the chapter's file into the bucket.
    async fn deliver(&self, chapter: &Chapter) -> Result<S3Uri> {
        let source = S3Uri::new(BUCKET, format!("data/in/{}", chapter.name));
        self.store.write(&source, chapter.content.as_bytes().to_vec()).await?;
        Ok(source)
    }

    /// What people did in the warehouse before the file came.
    async fn meanwhile(&self, chapter: &Chapter) -> Result<()> {
        for statement in chapter.before {
            sql::select(&self.api, statement).await?;
        }
        let done = indented(&chapter.before.join("\n"));
        print(&format!("What people did meanwhile\n{done}\n"));
        Ok(())
    }

    async fn plan(&self, chapter: &Chapter, log: &RunLog) -> Result<()> {
        let job = Job::decide(settings(&self.dir, &self.plugins, chapter.name))?;
        let preview = Box::pin(preview(job, self.stop.clone(), log)).await;
        let text = indented(&plan_text(&preview, ReportFormat::Human));
        print(&format!("What `loader plan` says\n\n{text}"));
        Ok(())
    }

    /// The tables after the load, and the bucket.
    async fn show_outcome(&self, chapter: &Chapter) -> Result<()> {
        self.show("The table", ORDERS).await?;
        if !chapter.before.is_empty() {
            self.show("The view is still there", VIEW).await?;
            self.show("And so are its privileges", PRIVILEGES).await?;
        }
        self.show("The audit table", AUDIT).await?;
        let keys = self.store.list(&S3Uri::new(BUCKET, "data/")).await?;
        print(&format!("The bucket\n{}", indented(&keys.join("\n"))));
        Ok(())
    }

    async fn load(&self, name: &str, ends: Status, log: &RunLog) -> Result<Report> {
        let job = Job::decide(settings(&self.dir, &self.plugins, name))?;
        let report = run::load_job(job, self.stop.clone(), log).await;
        self.stop.check()?;
        if report.status == ends {
            return Ok(report);
        }
        let error = report.error.unwrap_or_else(|| format!("{:?}", report.status));
        Err(Error::new(
            Kind::Internal,
            format!("the load of {name} ended in another way than the demo tells: {error}"),
        ))
    }

    /// What the plugins make of the columns, by a plan like the load's own.
    async fn transformation(&self, chapter: &Chapter) -> Result<String> {
        let job = Job::decide(settings(&self.dir, &self.plugins, chapter.name))?;
        let data_path = DataPath::of(&job, self.stop.flag().clone());
        let (name, content) = (chapter.name, chapter.content.as_bytes());
        let (spool, plan) = blocking(move || {
            let chain = chain::load(&data_path.settings)?;
            let spool = data_path.infer(name, content)?;
            let plan = data_path.plan(chain.plugins(), &spool, None)?;
            Ok((spool, plan))
        })
        .await?;
        let columns = plan
            .columns
            .iter()
            .enumerate()
            .map(|(i, column)| column_line(spool.profile.columns.get(i), column));
        let columns = columns.collect::<String>();
        Ok(format!("What {} makes of it\n{columns}", self.plugins.display()))
    }

    async fn show(&self, title: &str, statement: &str) -> Result<()> {
        let rows = sql::select(&self.api, statement).await?.unwrap_or_default();
        print(&format!("{title}\n{}\n", sql::render(&rows, RowFormat::Table)));
        Ok(())
    }

    fn turn_page(&self) {
        if self.pause {
            print("\n[Enter] ");
            // Without a terminal the line ends at once, and the story goes on.
            let _ = std::io::stdin().lock().read_line(&mut String::new());
        }
        print("\n");
    }
}

fn settings(dir: &Path, plugins: &Path, file: &str) -> Settings {
    Settings {
        job_name: Some("demo".into()),
        src_bucket: Some(BUCKET.into()),
        source_file_name: Some(file.into()),
        target_table: Some(TABLE.into()),
        upsert_keys: Some(Keys(vec!["order_id".into()])),
        local: Some(dir.to_path_buf()),
        plugins: Some(vec![plugins.to_path_buf().into()]),
        ..Settings::default()
    }
}

/// From which column of the file a planned one is made, and of which type it becomes.
fn column_line(from: Option<&ColumnProfile>, planned: &PlannedColumn) -> String {
    let from = from.map_or("(added)".into(), |from| format!("{} {}", from.name, from.logical()));
    let to = ColumnType::for_new_column(&planned.staged, 0)
        .map_or_else(String::new, |to| to.to_string());
    format!("  {from:<24} -> {} {to}\n", planned.name)
}

fn heading(text: &str) {
    print(&format!("== {text}\n\n"));
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("  {line}\n")).collect()
}
