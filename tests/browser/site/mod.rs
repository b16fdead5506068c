//! The documentation as `make docs` builds it: every page in a window of a desktop and of
//! a phone, in light and dark, by keyboard, and its links.
//!
//! The scripts beside this file look at a page and return what is wrong with it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::chromium::Chromium;
use crate::support::tools;

pub(crate) const LOOK_AT_PAGE: &str = include_str!("look.js");
const LOOK_AT_PICTURE: &str = include_str!("picture.js");

/// The themes that readers get by default, in light and dark, and those that they may choose.
const DEFAULT_THEMES: [&str; 2] = ["light", "navy"];
const OTHER_THEMES: [&str; 3] = ["coal", "ayu", "rust"];

/// Chooses the theme that `argument` names. Its style sheets are loaded only then.
const CHOOSE_THEME: &str = "
    document.getElementById(`mdbook-theme-${argument}`).click();
    const sheets = [...document.querySelectorAll('link[rel=stylesheet]')];
    const pause = () => new Promise((resolve) => setTimeout(resolve, 5));
    while (sheets.some((sheet) => !sheet.disabled && !sheet.sheet)) await pause();";

/// Pages that mdBook makes for itself.
const OWN_OF_MDBOOK: [&str; 3] = ["404.html", "print.html", "toc.html"];

/// A window: its width, its height, and whether it is that of a phone.
pub(crate) type Window = (u32, u32, bool);
pub(crate) const DESKTOP: Window = (1280, 900, false);
pub(crate) const PHONE: Window = (390, 844, true);

#[test]
fn every_page_is_legible_on_a_desktop() {
    let themes = DEFAULT_THEMES.iter().chain(&OTHER_THEMES).copied();
    assert_legible(DESKTOP, &themes.collect::<Vec<_>>());
}

#[test]
fn every_page_is_legible_on_a_phone() {
    assert_legible(PHONE, &DEFAULT_THEMES);
}

#[test]
fn every_picture_is_legible_in_light_and_dark() {
    let browser = Chromium::start();
    let docs = tools::root().join("docs");
    let mut pictures = files(&docs.join("images"), "svg");
    pictures.push(docs.join("benchmarks.svg"));
    assert!(pictures.len() >= 8, "pictures are missing: {pictures:?}");
    let mut wrong = Vec::new();
    for scheme in ["light", "dark"] {
        prefer(&browser, scheme);
        for picture in &pictures {
            browser.open(&url(picture));
            note(
                &mut wrong,
                &browser.run(LOOK_AT_PICTURE, &Value::Null),
                |it| format!("{}, {scheme}: {it}", name(picture)),
            );
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn every_link_of_the_site_leads_to_a_place_in_it() {
    let browser = Chromium::start();
    let pages = pages();
    let mut places: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut links = Vec::new();
    for page in &pages {
        browser.open(&url(page));
        let seen = browser.run(
            "const ids = [...document.querySelectorAll('[id]')].map(({id}) => id);
             const links = [...document.querySelectorAll('a[href]')].map(({href}) => href);
             return {ids, links};",
            &Value::Null,
        );
        places.insert(url(page), texts(&seen["ids"]).into_iter().collect());
        links.extend(texts(&seen["links"]).into_iter().map(|it| (name(page), it)));
    }
    links.retain(|(_, link)| link.starts_with("file:"));
    assert!(links.len() >= 500, "only {} links were found", links.len());
    let mut wrong = BTreeSet::new();
    for (page, link) in links {
        let (target, place) = link.split_once('#').unwrap_or((&link, ""));
        let path = target.trim_start_matches("file://");
        let exists = match places.get(target) {
            Some(ids) => place.is_empty() || ids.contains(place),
            None => place.is_empty() && Path::new(path).is_file(),
        };
        if !exists {
            wrong.insert(format!("{page}: {link}"));
        }
    }
    assert!(wrong.is_empty(), "links lead nowhere: {wrong:#?}");
}

#[test]
fn the_site_can_be_used_by_keyboard() {
    let browser = Chromium::start();
    for window in [DESKTOP, PHONE] {
        resize(&browser, window);
        // One page has links, tables and code, the other one pictures.
        for page in ["index.html", "architecture.html"] {
            browser.open(&url(&site().join(page)));
            let stops = focus_stops(&browser);
            for needed in ["mdbook-sidebar-toggle", "mdbook-search-toggle"] {
                let reached = stops.iter().any(|stop| stop == needed);
                assert!(
                    reached,
                    "{page}, {window:?}: {needed} is not among {stops:?}"
                );
            }
        }
    }
    // The table of contents opens by keyboard where it is closed at first.
    let is_open = "return document.getElementById('mdbook-sidebar-toggle-anchor').checked";
    assert_eq!(browser.run(is_open, &Value::Null), false);
    let focus = "document.getElementById('mdbook-sidebar-toggle').focus()";
    browser.run(focus, &Value::Null);
    press(&browser, "Enter", 13);
    assert_eq!(browser.run(is_open, &Value::Null), true);
    let chapter = "return document.querySelector('#mdbook-sidebar a[href=\"troubleshooting.html\"]').checkVisibility()";
    assert_eq!(browser.run(chapter, &Value::Null), true);
}

/// Where the focus goes with the tabulator key, from where it is. Each of these places is in
/// the window and has an outline.
#[track_caller]
pub(crate) fn focus_stops(browser: &Chromium) -> Vec<String> {
    let mut stops = Vec::new();
    for _ in 0..80 {
        press(browser, "Tab", 9);
        let stop = browser.run(
            "const element = document.activeElement;
             if (element === document.body) return null;
             const place = () => {
                 const {x, y, right, bottom} = element.getBoundingClientRect();
                 return {x, y, right, bottom, outline: getComputedStyle(element).outlineStyle};
             };
             const seen = () => {
                 const {x, y, right, bottom, outline} = place();
                 const visible = right > 0 && bottom > 0 && x < innerWidth && y < innerHeight;
                 return visible && outline !== 'none';
             };
             // The browser may scroll smoothly.
             for (let tries = 0; tries < 100 && !seen(); tries++) {
                 await new Promise((resolve) => setTimeout(resolve, 20));
             }
             return {what: element.id || element.getAttribute('href'), seen: seen(), place: place()};",
            &Value::Null,
        );
        if stop.is_null() {
            break;
        }
        assert_eq!(stop["seen"], true, "the focus is not visible: {stop}");
        stops.push(stop["what"].as_str().unwrap_or_default().to_owned());
    }
    stops
}

/// Opens each page in a window of this size, and looks at it in each theme.
fn assert_legible(window: Window, themes: &[&str]) {
    let browser = Chromium::start();
    resize(&browser, window);
    let mut wrong = Vec::new();
    for page in pages() {
        browser.open(&url(&page));
        for theme in themes {
            browser.run(CHOOSE_THEME, &json!(theme));
            note(&mut wrong, &browser.run(LOOK_AT_PAGE, &Value::Null), |it| {
                format!("{}, {theme}: {it}", name(&page))
            });
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// Adds the sentences that a script has returned.
pub(crate) fn note(wrong: &mut Vec<String>, found: &Value, sentence: impl Fn(String) -> String) {
    wrong.extend(texts(found).into_iter().map(sentence));
}

fn texts(list: &Value) -> Vec<String> {
    let list = list.as_array().expect("a list").iter();
    list.map(|text| text.as_str().expect("a text").to_owned())
        .collect()
}

pub(crate) fn resize(browser: &Chromium, (width, height, mobile): Window) {
    browser.configure(
        "Emulation.setDeviceMetricsOverride",
        &json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": mobile}),
    );
}

pub(crate) fn prefer(browser: &Chromium, scheme: &str) {
    let feature = json!({"name": "prefers-color-scheme", "value": scheme});
    browser.configure(
        "Emulation.setEmulatedMedia",
        &json!({"features": [feature]}),
    );
}

/// Presses a key, with the code that Windows gives it.
pub(crate) fn press(browser: &Chromium, key: &str, code: u32) {
    for kind in ["rawKeyDown", "keyUp"] {
        browser.configure(
            "Input.dispatchKeyEvent",
            &json!({"type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code}),
        );
    }
}

pub(crate) fn site() -> PathBuf {
    tools::found(tools::root().join("dist/docs"), "run `make docs`")
}

/// The pages of the site.
fn pages() -> Vec<PathBuf> {
    let mut pages = files(&site(), "html");
    pages.retain(|page| !OWN_OF_MDBOOK.contains(&&*name(page)));
    assert!(pages.len() >= 25, "pages are missing");
    pages
}

fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder");
    let mut paths: Vec<_> = entries
        .map(|entry| entry.expect("an entry").path())
        .collect();
    paths.retain(|path| path.extension().is_some_and(|it| it == extension));
    paths.sort();
    paths
}

fn name(path: &Path) -> String {
    let name = path.file_name().expect("a name");
    name.to_string_lossy().into_owned()
}

fn url(path: &Path) -> String {
    format!("file://{}", path.display())
}
