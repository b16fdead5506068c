//! Interned texts and lists, without an allocation for each.

use crate::order;
use std::cmp::Ordering;
use std::ops::Range;

/// Distinct sequences in ascending order, in one allocation. Each takes four
/// bytes besides its items.
#[derive(Debug)]
pub(super) struct Sequences<T> {
    items: Box<[T]>,
    /// Where each ends and the next begins.
    ends: Box<[u32]>,
}

impl<T> Sequences<T> {
    /// The sequence with this number, which must be one that was assigned.
    pub(super) fn get(&self, number: u32) -> &[T] {
        slice_of(&self.items, &self.ends, index(number))
    }

    /// The number of sequences.
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// All of them, in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = &[T]> {
        (0..self.len()).map(|at| slice_of(&self.items, &self.ends, at))
    }

    /// The number of the sequence that `order` finds equal. `order` compares a
    /// sequence with the one that is searched for.
    pub(super) fn find(&self, order: impl Fn(&[T]) -> Ordering) -> Option<u32> {
        let numbers = 0..u32::try_from(self.len()).ok()?;
        find_in(numbers, |number| order(self.get(number)))
    }
}

impl<T> Default for Sequences<T> {
    fn default() -> Self {
        Self {
            items: Box::default(),
            ends: Box::default(),
        }
    }
}

/// The one of these ascending numbers for which `order` returns `Equal`.
pub(super) fn find_in(numbers: Range<u32>, order: impl Fn(u32) -> Ordering) -> Option<u32> {
    let Range { mut start, mut end } = numbers;
    while start < end {
        let middle = start.midpoint(end);
        match order(middle) {
            Ordering::Less => start = middle.checked_add(1)?,
            Ordering::Greater => end = middle,
            Ordering::Equal => return Some(middle),
        }
    }
    None
}

/// Sequences in the order they were added, with duplicates, before sorting.
#[derive(Debug)]
pub(super) struct Gathered<T> {
    items: Vec<T>,
    ends: Vec<u32>,
}

impl<T: Copy + Ord> Gathered<T> {
    /// Reserves memory for this many sequences and items in all, so that no
    /// reallocation is needed.
    pub(super) fn reserve(&mut self, sequences: usize, items: usize) {
        self.ends.reserve_exact(sequences);
        self.items.reserve_exact(items);
    }

    /// Adds a sequence and returns its number. `None` if there are more items
    /// than can be numbered.
    pub(super) fn add(&mut self, items: impl IntoIterator<Item = T>) -> Option<u32> {
        let number = u32::try_from(self.ends.len()).ok()?;
        self.items.extend(items);
        self.ends.push(u32::try_from(self.items.len()).ok()?);
        Some(number)
    }

    /// Changes the items of every sequence.
    pub(super) fn change(&mut self, change: impl Fn(&mut T)) {
        self.items.iter_mut().for_each(change);
    }

    /// Sorts each sequence's items.
    pub(super) fn sort_each(&mut self) {
        let mut rest = &mut *self.items;
        let mut start = 0;
        for end in &self.ends {
            let length = index(*end).saturating_sub(start);
            let Some((one, others)) = rest.split_at_mut_checked(length) else {
                return;
            };
            order::sort(one, T::cmp);
            rest = others;
            start = index(*end);
        }
    }

    /// Keeps each sequence once, in ascending order. Also returns the new number
    /// for each former number.
    #[inline(never)]
    pub(super) fn into_sequences(self) -> (Sequences<T>, Box<[u32]>) {
        let Self { items, ends } = self;
        let sequence = |number: u32| slice_of(&items, &ends, index(number));
        // `add` has numbered all of them.
        let mut order: Vec<u32> = (0_u32..).take(ends.len()).collect();
        order::sort_numbers(&mut order, |one, other| sequence(one).cmp(sequence(other)));
        let groups = || order.chunk_by(|one, other| sequence(*one) == sequence(*other));
        let mut distinct = Sequences::default();
        let (mut sizes, mut count) = (0_usize, 0_usize);
        for group in groups() {
            let length = group.first().map_or(0, |number| sequence(*number).len());
            sizes = sizes.saturating_add(length);
            count = count.saturating_add(1);
        }
        let mut kept = Vec::with_capacity(sizes);
        let mut kept_ends = Vec::with_capacity(count);
        let mut numbers = vec![0; ends.len()].into_boxed_slice();
        for (number, group) in (0_u32..).zip(groups()) {
            kept.extend_from_slice(group.first().map_or(&[], |first| sequence(*first)));
            kept_ends.push(u32::try_from(kept.len()).unwrap_or(u32::MAX));
            for former in group {
                if let Some(place) = numbers.get_mut(index(*former)) {
                    *place = number;
                }
            }
        }
        distinct.items = kept.into_boxed_slice();
        distinct.ends = kept_ends.into_boxed_slice();
        (distinct, numbers)
    }
}

impl<T> Default for Gathered<T> {
    fn default() -> Self {
        Self {
            items: Vec::new(),
            ends: Vec::new(),
        }
    }
}

/// A number as an index. The target's `usize` has at least 32 bits.
pub(super) fn index(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

fn slice_of<'s, T>(items: &'s [T], ends: &[u32], at: usize) -> &'s [T] {
    let start = match at.checked_sub(1) {
        None => 0,
        Some(before) => ends.get(before).map_or(usize::MAX, |end| index(*end)),
    };
    let end = ends.get(at).map_or(0, |end| index(*end));
    items.get(start..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_sequence_is_kept_once_and_found_by_its_new_number() {
        let mut gathered = Gathered::default();
        let words = ["pets", "", "cats", "pets", "a", "pet", "", "cats"];
        for (number, word) in words.iter().enumerate() {
            assert_eq!(gathered.add(word.bytes()), u32::try_from(number).ok());
        }
        let (kept, numbers) = gathered.into_sequences();
        let all: Vec<&[u8]> = kept.iter().collect();
        assert_eq!(all, [&b""[..], b"a", b"cats", b"pet", b"pets"]);
        for (word, number) in words.iter().zip(&numbers) {
            assert_eq!(kept.get(*number), word.as_bytes());
            assert_eq!(kept.find(|known| known.cmp(word.as_bytes())), Some(*number));
        }
        for absent in ["b", "petss", "Z", "z"] {
            assert_eq!(kept.find(|known| known.cmp(absent.as_bytes())), None);
        }
        assert_eq!(kept.get(5), b"");
    }

    #[test]
    fn no_sequences_give_an_empty_table() {
        let (kept, numbers) = Gathered::<u32>::default().into_sequences();
        assert_eq!((kept.len(), numbers.len()), (0, 0));
        assert_eq!(kept.find(|known| known.cmp(&[])), None);
        assert!(kept.get(0).is_empty());
    }

    #[test]
    fn the_items_of_each_sequence_are_sorted() {
        let mut gathered = Gathered::default();
        for items in [&[3, 1][..], &[], &[2, 9, 0]] {
            gathered.add(items.iter().copied());
        }
        gathered.sort_each();
        let (kept, _) = gathered.into_sequences();
        assert_eq!(
            kept.iter().collect::<Vec<&[u32]>>(),
            [&[][..], &[0, 2, 9], &[1, 3]]
        );
    }
}
