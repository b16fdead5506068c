use super::super::shelf::{self, Label};
use super::*;

/// The size of a set says how much memory it may take.
#[test]
fn the_sets_of_a_worker_take_at_most_128_mib_together() {
    const MOST: usize = 128 * 1024 * 1024;
    let key = with(OKP, &format!(r#""kid":"{}""#, "k".repeat(1900)));
    let document = document(&vec![&*key; MAX_KEYS]);
    let mut used = Vec::new();
    let mut bytes = 0;
    loop {
        let set = parse(&document).unwrap().set;
        assert!(set.memory_bytes() > MOST / 100);
        if !shelf::has_room(&set, None) {
            assert!(bytes <= MOST);
            assert!(bytes + set.memory_bytes() > MOST);
            // A set that nobody else uses makes room for the set that replaces it.
            assert!(shelf::has_room(&set, used.last()));
            break;
        }
        bytes += set.memory_bytes();
        let label = Label::new(&used.len().to_string(), document.as_bytes());
        used.push(shelf::put(label, set));
    }
    drop(used);
    assert_eq!(shelf::count(), 0);
}
