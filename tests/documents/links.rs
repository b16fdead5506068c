//! Links have a target: an existing file, and a heading in it.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use super::pages::{Page, all, root};

#[test]
fn every_link_leads_somewhere() {
    let pages = all();
    let mut wrong = Vec::new();
    let mut count = 0;
    for page in &pages {
        for link in links(&page.text) {
            count += 1;
            if let Err(why) = follow(page, &link, &pages) {
                wrong.push(format!("{}: {link}: {why}", page.name()));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    assert!(count >= 100, "only {count} links were found");
}

#[test]
fn the_summary_has_every_page_once() {
    let summary = Page::read(&root().join("docs/SUMMARY.md"));
    let mut listed = links(&summary.text);
    listed.sort();
    let pages = all().into_iter();
    let pages = pages.filter(|page| page.path.starts_with(root().join("docs")));
    let names = pages.map(|page| {
        page.path
            .file_name()
            .unwrap()
            .to_string_lossy()
            .into_owned()
    });
    let mut names: Vec<_> = names.filter(|name| name != "SUMMARY.md").collect();
    names.sort();
    assert_eq!(listed, names);
}

/// The target of a link, or why it has none.
fn follow(page: &Page, link: &str, pages: &[Page]) -> Result<(), &'static str> {
    let (file, heading) = link.split_once('#').unwrap_or((link, ""));
    let target = if file.is_empty() {
        page.path.clone()
    } else {
        plain(&page.path.parent().unwrap().join(file))
    };
    if !target.exists() {
        return Err("no such file");
    }
    // The site contains only the files of this folder.
    let docs = root().join("docs");
    if page.path.starts_with(&docs) && !target.starts_with(&docs) {
        return Err("the site does not have it");
    }
    if heading.is_empty() {
        return Ok(());
    }
    let target = pages.iter().find(|page| page.path == target);
    let target = target.ok_or("a heading of what is no document")?;
    let known = headings(&target.text).contains(heading);
    known.then_some(()).ok_or("no such heading")
}

/// A path without `.` and `..`.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => drop(plain.pop()),
            Component::CurDir => {}
            Component::Prefix(_) | Component::RootDir | Component::Normal(_) => plain.push(part),
        }
    }
    plain
}

/// The relative links of a page, including those in its footnotes and those to pictures.
fn links(text: &str) -> Vec<String> {
    let mut links = Vec::new();
    for line in prose(text) {
        if let Some((_, target)) = line
            .strip_prefix('[')
            .and_then(|rest| rest.split_once("]: "))
        {
            links.push(target.to_owned());
        }
        // Text between backticks is not a link.
        let words = line.split('`').step_by(2).collect::<Vec<_>>().join("`…`");
        for (begin, end) in [("](", ')'), ("src=\"", '"'), ("srcset=\"", '"')] {
            for (at, _) in words.match_indices(begin) {
                let rest = &words[at + begin.len()..];
                links.push(rest[..rest.find(end).unwrap()].to_owned());
            }
        }
    }
    links.retain(|link| !link.contains("://"));
    links
}

/// The lines outside of code blocks.
fn prose(text: &str) -> impl Iterator<Item = &str> {
    let mut inside = false;
    text.lines().filter(move |line| {
        let fence = line.starts_with("```");
        inside ^= fence;
        !inside && !fence
    })
}

/// The anchors of the headings, as GitHub and mdBook generate them.
fn headings(text: &str) -> BTreeSet<String> {
    let headings =
        prose(text).filter_map(|line| Some(line.strip_prefix('#')?.trim_start_matches('#')));
    let anchor = |heading: &str| -> String {
        let heading = heading.trim().to_lowercase().replace(' ', "-");
        heading
            .chars()
            .filter(|c| c.is_alphanumeric() || "-_".contains(*c))
            .collect()
    };
    headings.map(anchor).collect()
}
