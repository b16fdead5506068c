//! See `tests/cases` for the files themselves.
