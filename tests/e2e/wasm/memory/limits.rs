//! Configurations of every shape and size, in modules with little memory.

use super::{Outcome, Squeezed};
use crate::support::shapes::SHAPES;

/// Sizes in KiB; `SIZES=0,1000,7800` sets others, which take minutes.
fn sizes(usual: &str) -> Vec<usize> {
    let given = std::env::var("SIZES").unwrap_or_else(|_| usual.to_owned());
    let sizes = given.split(',').map(str::parse::<usize>);
    sizes
        .map(|size| size.expect("SIZES are numbers") * 1024)
        .collect()
}

/// Tries each shape in a VM of its own, in growing sizes. Returns which outcomes
/// occurred.
fn no_size_traps(mebibytes: usize, sizes: &[usize]) -> Vec<Outcome> {
    let mut squeezed = Squeezed::start(mebibytes, 1);
    let mut outcomes = Vec::new();
    for shape in SHAPES {
        squeezed.begin_anew(shape.name);
        for size in sizes {
            let text = (shape.of)(*size);
            let outcome = squeezed.update(shape.name, &text);
            let may_be_refused = !shape.is_good || outcome != Outcome::Refused;
            assert!(may_be_refused, "{}, {} bytes", shape.name, text.len());
            outcomes.push(outcome);
        }
    }
    outcomes
}

#[test]
fn in_24_mebibytes_everything_is_denied_and_nothing_traps() {
    let outcomes = no_size_traps(24, &sizes("500"));
    assert!(outcomes.iter().all(|outcome| *outcome == Outcome::NoMemory));
}

#[test]
fn in_48_mebibytes_nothing_traps() {
    let outcomes = no_size_traps(48, &sizes("0,500"));
    assert!(outcomes.contains(&Outcome::InForce));
    assert!(outcomes.contains(&Outcome::NoMemory));
}

#[test]
fn in_96_mebibytes_nothing_traps() {
    let outcomes = no_size_traps(96, &sizes("2000"));
    assert!(outcomes.contains(&Outcome::InForce));
    assert!(outcomes.contains(&Outcome::NoMemory));
}

/// One VM, in which every former configuration stays: the free memory is fragmented and
/// shrinks.
#[test]
fn nothing_traps_while_configurations_of_every_shape_accumulate() {
    let mut squeezed = Squeezed::start(96, 600);
    let mut outcomes = Vec::new();
    for size in sizes("150,400") {
        for shape in SHAPES {
            let outcome = squeezed.update(shape.name, &(shape.of)(size));
            println!("{}: {outcome:?}", shape.name);
            outcomes.push(outcome);
        }
    }
    assert!(outcomes.contains(&Outcome::InForce));
    assert!(outcomes.contains(&Outcome::NoMemory));
}
