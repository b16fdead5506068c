//! Documents of a maximum size. A test target includes this file by its path.

/// A document of at most `max_bytes`, filled with as many of these parts as there is room
/// for, and at most `most`.
pub(crate) fn filled(
    max_bytes: usize,
    start: &str,
    part: impl Fn(usize) -> String,
    end: &str,
    most: usize,
) -> String {
    let mut text = start.to_owned();
    for number in 0..most {
        let part = part(number);
        let length = [&*text, &*part, end].map(str::len).iter().sum::<usize>();
        if length > max_bytes {
            break;
        }
        text.push_str(&part);
    }
    text + end
}
