//! A handwritten JSON reader that follows the grammar of RFC 8259. It refuses what the
//! documentation lists: a byte order mark, duplicate names, lone surrogates, numbers
//! beyond an `f64`, and too much nesting.

/// A value and the text it was read from.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Json<'a> {
    pub(crate) text: &'a str,
    pub(crate) value: Value<'a>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value<'a> {
    Null,
    Bool,
    Number,
    String(String),
    Array(Vec<Json<'a>>),
    Object(Vec<(String, Json<'a>)>),
}

impl<'a> Json<'a> {
    pub(crate) fn string(&self) -> Option<&str> {
        match &self.value {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn array(&self) -> Option<&[Json<'a>]> {
        match &self.value {
            Value::Array(elements) => Some(elements),
            _ => None,
        }
    }

    pub(crate) fn object(&self) -> Option<&[(String, Json<'a>)]> {
        match &self.value {
            Value::Object(members) => Some(members),
            _ => None,
        }
    }

    /// The member of an object.
    pub(crate) fn get(&self, name: &str) -> Option<&Json<'a>> {
        let members = self.object()?;
        members
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value)
    }

    /// A string decoded, a number or boolean as written.
    pub(crate) fn scalar(&self) -> Option<&str> {
        match &self.value {
            Value::String(text) => Some(text),
            Value::Number | Value::Bool => Some(self.text),
            Value::Null | Value::Array(_) | Value::Object(_) => None,
        }
    }

    /// The text without white space between the tokens.
    pub(crate) fn compact(&self) -> String {
        match &self.value {
            Value::Array(elements) => {
                let elements: Vec<_> = elements.iter().map(Json::compact).collect();
                format!("[{}]", elements.join(","))
            }
            Value::Object(_) => {
                // Names keep their spelling, so this does not use the value.
                let mut reader = Reader {
                    text: self.text,
                    at: 0,
                };
                reader.compact()
            }
            _ => self.text.to_owned(),
        }
    }
}

/// Reads a whole text.
pub(crate) fn parse(text: &[u8], depth: usize) -> Option<Json<'_>> {
    let text = std::str::from_utf8(text).ok()?;
    let mut reader = Reader { text, at: 0 };
    reader.blanks();
    let value = reader.value(depth)?;
    reader.blanks();
    (reader.at == text.len()).then_some(value)
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    fn take(&mut self, wanted: &str) -> Option<()> {
        let rest = &self.text.as_bytes()[self.at..];
        rest.starts_with(wanted.as_bytes()).then(|| {
            self.at += wanted.len();
        })
    }

    fn blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn value(&mut self, depth: usize) -> Option<Json<'a>> {
        let start = self.at;
        let value = match self.peek()? {
            b'n' => self.take("null").map(|()| Value::Null)?,
            b't' => self.take("true").map(|()| Value::Bool)?,
            b'f' => self.take("false").map(|()| Value::Bool)?,
            b'"' => Value::String(self.string()?),
            b'[' => self.array(depth.checked_sub(1)?)?,
            b'{' => self.object(depth.checked_sub(1)?)?,
            _ => self.number()?,
        };
        let text = &self.text[start..self.at];
        Some(Json { text, value })
    }

    fn array(&mut self, depth: usize) -> Option<Value<'a>> {
        let mut elements = Vec::new();
        self.take("[")?;
        self.blanks();
        if self.take("]").is_some() {
            return Some(Value::Array(elements));
        }
        loop {
            self.blanks();
            elements.push(self.value(depth)?);
            self.blanks();
            match self.next()? {
                b',' => {}
                b']' => return Some(Value::Array(elements)),
                _ => return None,
            }
        }
    }

    fn object(&mut self, depth: usize) -> Option<Value<'a>> {
        let mut members: Vec<(String, Json<'a>)> = Vec::new();
        self.take("{")?;
        self.blanks();
        if self.take("}").is_some() {
            return Some(Value::Object(members));
        }
        loop {
            self.blanks();
            let name = self.string()?;
            if members.iter().any(|(known, _)| *known == name) {
                return None;
            }
            self.blanks();
            self.take(":")?;
            self.blanks();
            members.push((name, self.value(depth)?));
            self.blanks();
            match self.next()? {
                b',' => {}
                b'}' => return Some(Value::Object(members)),
                _ => return None,
            }
        }
    }

    fn number(&mut self) -> Option<Value<'a>> {
        let start = self.at;
        let _sign = self.take("-");
        if self.take("0").is_none() {
            self.digits()?;
        }
        if self.take(".").is_some() {
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            self.digits()?;
        }
        let number: f64 = self.text[start..self.at].parse().ok()?;
        number.is_finite().then_some(Value::Number)
    }

    fn digits(&mut self) -> Option<()> {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        (self.at > start).then_some(())
    }

    fn string(&mut self) -> Option<String> {
        self.take("\"")?;
        let mut units: Vec<u16> = Vec::new();
        loop {
            let character = self.text.get(self.at..)?.chars().next()?;
            self.at += character.len_utf8();
            match character {
                '"' => return String::from_utf16(&units).ok(),
                '\\' => units.push(self.escape()?),
                '\0'..='\u{1f}' => return None,
                _ => units.extend_from_slice(character.encode_utf16(&mut [0; 2])),
            }
        }
    }

    fn escape(&mut self) -> Option<u16> {
        Some(match self.next()? {
            b'"' => 0x22,
            b'\\' => 0x5c,
            b'/' => 0x2f,
            b'b' => 8,
            b'f' => 12,
            b'n' => 10,
            b'r' => 13,
            b't' => 9,
            b'u' => {
                let digits = self.text.as_bytes().get(self.at..self.at + 4)?;
                self.at += 4;
                let mut unit = 0;
                for digit in digits {
                    let digit = char::from(*digit).to_digit(16)?;
                    unit = unit << 4 | u16::try_from(digit).unwrap();
                }
                unit
            }
            _ => return None,
        })
    }

    /// A text that was already read, token by token.
    fn compact(&mut self) -> String {
        let mut out = String::new();
        while self.at < self.text.len() {
            self.blanks();
            let start = self.at;
            if self.peek() == Some(b'"') {
                self.string().unwrap();
            } else {
                self.at += usize::from(self.peek().is_some());
            }
            out.push_str(&self.text[start..self.at]);
        }
        out
    }
}
