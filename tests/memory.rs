//! The memory of configurations: the estimate is never less than what compiling takes,
//! and what a configuration keeps is bounded.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::print_stdout,
    reason = "a test ends at the first unexpected result"
)]

use std::sync::LazyLock;

use edge_authz::config::{self, ConfigErrors};
use edge_authz::policy::Policy;

#[path = "support/counting.rs"]
mod counting;
#[path = "support/mod.rs"]
mod support;

use counting::{Taken, taken};
use support::shapes::{self, SHAPES, Shape};

fn compiled(text: &str) -> (Result<Policy, ConfigErrors>, Taken) {
    taken(|| config::compile(text.as_bytes()))
}

/// Key tables check the free memory themselves, by allocating for a moment as much as
/// serving requests takes. Here all of the memory for them is taken.
fn without_tables() {
    static TAKEN: LazyLock<Policy> = LazyLock::new(|| {
        let text = shapes::keys::fast_keys_and_long_paths(0);
        config::compile(text.as_bytes()).expect("a good configuration")
    });
    LazyLock::force(&TAKEN);
}

const KIB: usize = 1024;

/// Sizes in KiB; `SIZES=0,2500,7800` sets others, which take minutes.
fn sizes() -> Vec<usize> {
    let given = std::env::var("SIZES").unwrap_or_else(|_| "0,10,100,500".to_owned());
    let sizes = given.split(',').map(str::parse::<usize>);
    sizes
        .map(|size| size.expect("SIZES are numbers") * KIB)
        .collect()
}

#[test]
fn no_configuration_takes_more_than_estimated() {
    without_tables();
    let (some, others) = SHAPES.split_at(SHAPES.len() / 2);
    std::thread::scope(|scope| {
        for shapes in [some, others] {
            scope.spawn(move || shapes.iter().for_each(takes_no_more_than_estimated));
        }
    });
}

fn takes_no_more_than_estimated(shape: &Shape) {
    for size in sizes() {
        let text = (shape.of)(size);
        let name = format!("{}, {} bytes", shape.name, text.len());
        assert!(text.len() <= config::MAX_BYTES, "{name}");
        let need = config::memory_needed(text.as_bytes());
        let (policy, taken) = compiled(&text);
        match policy {
            Err(errors) if shape.is_good => panic!("{name}: {errors}"),
            Ok(_) if !shape.is_good && size > 0 => panic!("{name}: is good"),
            _ => {}
        }
        println!("{name}: {taken:?} of {need:?}");
        assert!(taken.peak <= need.all, "{name}: {taken:?} of {need:?}");
        // Smaller ones are checked in pieces of this size.
        let block = need.block.max(1024 * KIB);
        assert!(taken.block <= block, "{name}: {taken:?} of {need:?}");
    }
}

/// What the policy of a text keeps, in bytes. Compiling it must take no more than `most`
/// times the size of the text.
fn kept(text: &str, most: usize) -> usize {
    let (policy, taken) = compiled(text);
    policy.unwrap_or_else(|errors| panic!("{errors}"));
    println!("{} bytes of text: {taken:?}", text.len());
    assert!(taken.peak <= most * text.len(), "{taken:?}");
    taken.kept
}

/// Checks that a figure is within a tenth of the recorded one. If a change reduces it,
/// the recorded figure must be updated, too.
#[track_caller]
fn assert_nearly(bytes: usize, measured: usize) {
    let tenth = measured / 10;
    assert!(
        (measured - tenth..=measured + tenth).contains(&bytes),
        "{bytes} bytes instead of {measured}"
    );
}

#[test]
fn a_route_keeps_some_hundred_bytes() {
    let routes = |count: usize| {
        let text = shapes::ordinary_routes(usize::MAX);
        let mut document: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        let routes = document["routes"].as_array_mut().expect("a list");
        routes.truncate(count);
        kept(&document.to_string(), 30)
    };
    let (few, many) = (routes(1_000), routes(41_000));
    assert_nearly((many - few) / 40_000, 329);
    assert_nearly(many, 13_526_576);
}

#[test]
fn a_path_of_256_segments_keeps_few_bytes_a_segment() {
    let few = kept(&shapes::long_paths(100_000), 30);
    let many = kept(&shapes::long_paths(2_000_000), 30);
    assert_nearly(few, 336_176);
    assert_nearly(many, 6_623_856);
}

#[test]
fn a_megabyte_of_anything_else_keeps_a_few() {
    assert_nearly(kept(&shapes::providers(1_000_000), 30), 7_733_920);
    assert_nearly(kept(&shapes::origins(1_000_000), 30), 5_119_024);
}
