//! Sorting with one shared copy of the standard library's code.
//!
//! Each type that the standard library sorts adds another copy of its sorting
//! code, up to 9 KiB of a module. Here numbers are sorted with a pointer to the
//! comparison, and the items are then moved accordingly. On the request path
//! only short lists are sorted.

use std::cmp::Ordering;

/// Sorts numbers, which may be indices of other items.
pub fn sort_numbers(numbers: &mut [u32], mut compare: impl FnMut(u32, u32) -> Ordering) {
    sort_by(numbers, &mut compare);
}

#[inline(never)]
fn sort_by(numbers: &mut [u32], compare: &mut dyn FnMut(u32, u32) -> Ordering) {
    numbers.sort_unstable_by(|one, other| compare(*one, *other));
}

/// Sorts items. The sort is stable. It takes four bytes of memory for each item
/// while it sorts.
pub fn sort<T>(items: &mut [T], mut compare: impl FnMut(&T, &T) -> Ordering) {
    let mut sources: Vec<u32> = (0_u32..).take(items.len()).collect();
    sort_numbers(&mut sources, |one, other| {
        match (item(items, one), item(items, other)) {
            (Some(first), Some(second)) => compare(first, second).then(one.cmp(&other)),
            // There is an item for each number.
            (None, _) | (_, None) => Ordering::Equal,
        }
    });
    rearrange(items.len(), &mut sources, &mut |one, other| {
        items.swap(one, other);
    });
}

fn item<T>(items: &[T], number: u32) -> Option<&T> {
    items.get(usize::try_from(number).ok()?)
}

/// Moves the item at `sources[place]` to each place, cycle by cycle of the
/// permutation.
fn rearrange(count: usize, sources: &mut [u32], swap: &mut dyn FnMut(usize, usize)) {
    for start in 0..count {
        let mut place = start;
        while let Some(source) = sources.get_mut(place) {
            let (Ok(from), Ok(here)) = (usize::try_from(*source), u32::try_from(place)) else {
                return;
            };
            *source = here;
            if from == start {
                break;
            }
            swap(place, from);
            place = from;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_are_sorted_as_the_standard_library_sorts_them() {
        // A linear congruence: the same numbers in every run.
        let mut state = 1_u32;
        for length in 0..200 {
            let mut next = || {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                state >> 28
            };
            let items: Vec<(u32, usize)> = (0..length).map(|place| (next(), place)).collect();
            let mut expected = items.clone();
            expected.sort_by_key(|(key, _)| *key);
            let mut sorted = items;
            sort(&mut sorted, |(one, _), (other, _)| one.cmp(other));
            assert_eq!(sorted, expected);
        }
    }
}
