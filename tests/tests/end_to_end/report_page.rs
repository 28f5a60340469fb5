//! The page of `loader report`, in a real browser.

use std::path::Path;
use std::process::Command;

use loader_tests::{Place, program, run, world};

/// Names that the browser has.
const BROWSERS: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "chrome"];

/// What the browser tells of the page, once it is drawn.
const TELLS: &str = "<script>
const told = [
  document.documentElement.scrollWidth <= window.innerWidth ? 'fits' : 'is too wide',
  getComputedStyle(document.body).backgroundColor,
  [...document.querySelectorAll('svg')].every(svg => svg.getBoundingClientRect().height > 20),
  getComputedStyle(document.querySelector('thead')).display,
  document.images.length, performance.getEntriesByType('resource').length,
];
document.title = told.join(' ');
</script>";

/// The browser; `None` where there is none. In CI there is one.
fn browser() -> Option<&'static str> {
    let is_there = |name: &&str| Command::new(name).arg("--version").output().is_ok();
    let found = BROWSERS.into_iter().find(|name| is_there(name));
    if found.is_none() {
        assert!(std::env::var_os("CI").is_none(), "no browser is installed: {BROWSERS:?}");
        eprintln!("skipped: no browser is installed");
    }
    found
}

/// The title that the page gives itself in a window of this size.
fn told(browser: &str, page: &Path, width: u32, more: &[&str]) -> String {
    let home = tempfile::tempdir().expect("a folder");
    let mut command = Command::new(browser);
    command.args(["--headless=new", "--no-sandbox", "--disable-gpu", "--dump-dom"]);
    command.arg(format!("--user-data-dir={}", home.path().display()));
    command.arg(format!("--window-size={width},900")).args(more);
    let ended = run(command.arg(format!("file://{}", page.display())));
    let title = ended.stdout.split("<title>").nth(1).and_then(|rest| rest.split("</title>").next());
    title.unwrap_or_else(|| panic!("{}", ended.stderr)).to_owned()
}

#[test]
fn the_page_fits_a_phone_and_a_screen_in_light_and_dark() {
    let place = Place::new("report-page");
    place.put("a.csv", "id,amount\n1,2.5\n2,x\n");
    let _ = place.load("a.csv", "t", &["--max-rejects", "1"]).succeeded();
    let long = format!("{}.csv", "a_long_name_of_a_file_without_a_blank_".repeat(4));
    place.put(&long, "id,amount\n1,2.5,3\n");
    assert_eq!(place.load(&long, "t", &[]).ended.code, 3);
    let folder = tempfile::tempdir().expect("a folder");
    let page = folder.path().join("page.html");
    let mut command = Command::new(program());
    command.args(["report", "--src-bucket", &place.name, "--local"]).arg(world().dir());
    let ended = run(command.arg("-o").arg(&page));
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert!(ended.stdout.ends_with("page.html has 2 runs\n"), "{}", ended.stdout);
    let html = std::fs::read_to_string(&page).expect("the page");
    for part in ["a_long_name_of", "the row has 3 fields", "report-page", "CREATE TABLE"] {
        assert!(html.contains(part), "{part} is not in the page");
    }

    let Some(browser) = browser() else { return };
    std::fs::write(&page, html.replace("</body>", &format!("{TELLS}</body>"))).expect("writes");
    let (light, dark) = ("rgb(255, 255, 255)", "rgb(20, 23, 27)");
    let is_dark = ["--blink-settings=preferredColorScheme=0"];
    let is_light = ["--blink-settings=preferredColorScheme=1"];
    // The smallest window that the browser has is 500 wide.
    for width in [500, 800, 1400] {
        let head = if width < 640 { "none" } else { "table-header-group" };
        let expected = |back: &str| format!("fits {back} true {head} 0 0");
        assert_eq!(told(browser, &page, width, &is_light), expected(light), "{width}");
        assert_eq!(told(browser, &page, width, &is_dark), expected(dark), "{width}");
    }
}
