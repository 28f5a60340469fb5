//! `loader demo`: a load told in five files, on the stand-in; everything in it is the real thing.

mod chapters;
mod pages;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use loader_aws::connect as aws;
use loader_aws::data_api::DataApi;
use loader_aws::s3::Store;
use loader_aws::stop::Stop;
use loader_csv::ColumnProfile;
use loader_data::joined::Joined;
use loader_data::plan::PlannedColumn;
use loader_model::choices::ReportFormat;
use loader_model::column_type::ColumnType;
use loader_model::error::{Context, Error, Kind, Result};
use loader_model::names::S3Uri;

use crate::cli::{DemoArgs, RowFormat};
use crate::commands::plan::human as plan_text;
use crate::commands::{conclude, print, run, sql};
use crate::data_path::{DataPath, chain};
use crate::job::Job;
use crate::preview::preview;
use crate::redshift::query;
use crate::report::log::Logs;
use crate::report::{Report, Status};
use crate::settings::{Names, Settings};
use crate::tools::blocking;

use chapters::{AUDIT, CHAPTERS, Chapter, FIRST_FILE_AGAIN, ORDERS, PRIVILEGES, SUMS, VIEW};
use pages::{Book, Turn};

const BUCKET: &str = "demo";
const TABLE: &str = "orders";

/// The lines of a report that the story shows. The others are about the run, not about the file.
const SHOWN_OF_A_REPORT: [&str; 4] = ["result", "rows", "filled", "file"];

/// Tells the story. Fails when a load does not end as the story says.
pub async fn run(args: DemoArgs, stop: Stop, logs: &Logs) -> u8 {
    let told = tell(args, stop, logs).await;
    // The log of a demo goes to the bucket only, so a failure is said here.
    if let Err(error) = &told {
        eprintln!("loader demo: {error}");
    }
    conclude(told)
}

async fn tell(args: DemoArgs, stop: Stop, logs: &Logs) -> Result<()> {
    let temporary =
        tempfile::tempdir().context(Kind::Internal, "no temporary folder can be made")?;
    let dir = args.dir.clone().unwrap_or_else(|| temporary.path().to_path_buf());
    let mut book = Book::open(!args.no_pause);
    let story = Story::begin(&dir, args.plugins, stop).await?;
    let mut turn = book.show("A load, told in five files", &story.introduction()).await?;
    for (number, chapter) in (1..).zip(&CHAPTERS) {
        if turn == Turn::Next {
            let title = format!("{number}. {}", chapter.title);
            turn = book.show(&title, &story.chapter(chapter, logs).await?).await?;
        }
    }
    if turn == Turn::Next {
        let title = format!("{}. {FIRST_FILE_AGAIN}", CHAPTERS.len() + 1);
        book.show(&title, &story.first_file_again(logs).await?).await?;
    }
    print(&farewell(args.dir.as_deref()));
    Ok(())
}

/// What becomes of the demo's folder. `kept`: the folder that the user named with `--dir`.
fn farewell(kept: Option<&Path>) -> String {
    match kept {
        Some(dir) => {
            format!("The end. To look around: loader local --dir {}\n", dir.display())
        }
        None => "The end, and the demo's folder is gone. Keep it with --dir DIR.\n".to_owned(),
    }
}

/// The story while it is told: where it plays.
struct Story {
    dir: PathBuf,
    plugins: PathBuf,
    places: String,
    store: Store,
    api: DataApi,
    stop: Stop,
}

impl Story {
    async fn begin(dir: &Path, plugins: PathBuf, stop: Stop) -> Result<Story> {
        let settings = settings(dir, &plugins, CHAPTERS[0].name);
        let warehouse = Job::decide(settings)?.warehouse;
        let aws = aws::connect(&warehouse.access).await?;
        let endpoints = aws.endpoints.as_ref().map(|endpoints| {
            format!("S3        {}\nData API  {}\n", endpoints.s3, endpoints.redshift_data)
        });
        let places = format!("{}files     {}\n", endpoints.unwrap_or_default(), dir.display());
        let store = Store::new(&aws, stop.clone());
        store.create_bucket(BUCKET).await?;
        let api = DataApi::new(&aws, &warehouse.database, "loader demo", stop.clone());
        Ok(Story { dir: dir.to_path_buf(), plugins, places, store, api, stop })
    }

    fn introduction(&self) -> Vec<String> {
        let titles = CHAPTERS.iter().map(|chapter| chapter.title).chain([FIRST_FILE_AGAIN]);
        let contents = (1..).zip(titles).map(|(number, title)| format!("  {number}. {title}\n"));
        vec![
            "Everything here is real: this machine serves S3 and the Redshift Data API\nover a \
             PostgreSQL, and each file is loaded as `loader run` loads it.\n"
                .to_owned(),
            contents.collect(),
            self.places.clone(),
        ]
    }

    /// The file, what was there before, and what its load does.
    async fn chapter(&self, chapter: &Chapter, logs: &Logs) -> Result<Vec<String>> {
        let source = self.deliver(chapter).await?;
        let file = format!("{}\n\n{source}\n{}", chapter.about, indented(chapter.content));
        let mut blocks = vec![file];
        if chapter.name == CHAPTERS[0].name {
            blocks.push(self.transformation(chapter).await?);
        }
        if !chapter.before.is_empty() {
            blocks.push(self.meanwhile(chapter).await?);
            blocks.extend(self.plan(chapter, logs).await?);
        }
        let report = self.load(chapter.name, chapter.ends, logs).await?;
        blocks.push(abridged(&report));
        blocks.extend(self.outcome(chapter).await?);
        Ok(blocks)
    }

    /// The same file once more: nothing may happen.
    async fn first_file_again(&self, logs: &Logs) -> Result<Vec<String>> {
        let first = &CHAPTERS[0];
        self.deliver(first).await?;
        let report = self.load(first.name, Status::AlreadyLoaded, logs).await?;
        let sums = self.table("Every digit is still there", SUMS).await?;
        Ok(vec![abridged(&report), sums])
    }

    /// Puts the chapter's file into the bucket.
    async fn deliver(&self, chapter: &Chapter) -> Result<S3Uri> {
        let source = S3Uri::new(BUCKET, format!("data/in/{}", chapter.name));
        self.store.write(&source, chapter.content.as_bytes().to_vec()).await?;
        Ok(source)
    }

    /// What the analysts did in the warehouse before the file came.
    async fn meanwhile(&self, chapter: &Chapter) -> Result<String> {
        for statement in chapter.before {
            query::select(&self.api, statement).await?;
        }
        Ok(format!("What the analysts did meanwhile\n{}", indented(&chapter.before.join("\n"))))
    }

    /// What `loader plan` says, part by part.
    async fn plan(&self, chapter: &Chapter, logs: &Logs) -> Result<Vec<String>> {
        let job = Job::decide(settings(&self.dir, &self.plugins, chapter.name))?;
        let preview = Box::pin(preview(job, self.stop.clone(), logs)).await;
        let text = plan_text(&preview);
        let mut blocks = vec!["What `loader plan` says\n".to_owned()];
        blocks.extend(text.split("\n\n").map(indented));
        Ok(blocks)
    }

    /// The tables after the load, and the bucket where something new is in it.
    async fn outcome(&self, chapter: &Chapter) -> Result<Vec<String>> {
        let mut blocks = vec![self.table("The table", ORDERS).await?];
        if !chapter.before.is_empty() {
            blocks.push(self.table("The view is still there", VIEW).await?);
            blocks.push(self.table("And so are its privileges", PRIVILEGES).await?);
        }
        blocks.push(self.table("The audit table", AUDIT).await?);
        if chapter.shows_bucket {
            let keys = self.store.list(&S3Uri::new(BUCKET, "data/")).await?;
            blocks.push(format!("The bucket\n{}", indented(&keys.join("\n"))));
        }
        Ok(blocks)
    }

    async fn load(&self, name: &str, ends: Status, logs: &Logs) -> Result<Report> {
        let job = Job::decide(settings(&self.dir, &self.plugins, name))?;
        let report = run::load_job(job, self.stop.clone(), logs).await;
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
        let content = chapter.content.as_bytes();
        let (spool, plan) = blocking(move || {
            let chain = chain::load(&data_path.settings)?;
            let spool = data_path.infer(content, None)?;
            let spool = Arc::new(spool);
            let files = Joined::one(Arc::clone(&spool));
            let plan = data_path.plan(chain.plugins(), &files, None, &[])?;
            Ok((spool, plan))
        })
        .await?;
        let columns = plan
            .rows
            .columns
            .iter()
            .enumerate()
            .map(|(i, column)| column_line(spool.profile.columns.get(i), column));
        let columns = columns.collect::<String>();
        Ok(format!("What the plugin {} makes of it\n{columns}", self.plugins.display()))
    }

    async fn table(&self, title: &str, statement: &str) -> Result<String> {
        let rows = query::select(&self.api, statement).await?.unwrap_or_default();
        Ok(format!("{title}\n{}", sql::render(&rows, RowFormat::Table)))
    }
}

/// The report without the lines about requests, times and plugins.
fn abridged(report: &Report) -> String {
    let text = report.render(ReportFormat::Human);
    let mut is_shown = true;
    let mut shown = String::new();
    for line in text.lines() {
        // A line without a label goes on with what the label before it says.
        match line.get(..10).map_or("", str::trim) {
            "" => {}
            label => is_shown = SHOWN_OF_A_REPORT.contains(&label),
        }
        if is_shown {
            shown.push_str(line);
            shown.push('\n');
        }
    }
    format!("What `loader run` says, in short\n{shown}")
}

fn settings(dir: &Path, plugins: &Path, file: &str) -> Settings {
    Settings {
        job_name: Some("demo".into()),
        src_bucket: Some(BUCKET.into()),
        source_file_name: Some(file.into()),
        target_table: Some(TABLE.into()),
        upsert_keys: Some(Names(vec!["order_id".into()])),
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

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("  {line}\n")).collect()
}
