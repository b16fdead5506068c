//! The measurements of one contender.

use std::fmt;

use serde_json::{Value, json};

use crate::contender::Contender;
use crate::sample::{Sample, median};

/// All samples of one contender in one workload.
#[derive(Clone, Debug)]
pub(crate) struct Figures {
    pub(crate) contender: Contender,
    pub(crate) samples: Vec<Sample>,
}

impl Figures {
    pub(crate) const fn new(contender: Contender) -> Self {
        Self {
            contender,
            samples: Vec::new(),
        }
    }

    pub(crate) fn median(&self, figure: impl Fn(&Sample) -> f64) -> f64 {
        median(self.samples.iter().map(figure))
    }

    pub(crate) fn requests_per_second(&self) -> f64 {
        self.median(|sample| sample.requests_per_second)
    }

    /// The spread of the requests per second between samples, as a fraction of the
    /// median.
    pub(crate) fn spread(&self) -> f64 {
        let rates = || self.samples.iter().map(|sample| sample.requests_per_second);
        let most = rates().fold(f64::MIN, f64::max);
        let least = rates().fold(f64::MAX, f64::min);
        (most - least) / self.requests_per_second()
    }

    pub(crate) fn json(&self) -> Value {
        let round = |figure: f64| (figure * 10.0).round() / 10.0;
        json!({
            "contender": self.contender.name(),
            "requests_per_second": round(self.requests_per_second()),
            "cpu_us": round(self.median(|it| it.cpu)),
            "cpu_beside_us": round(self.median(|it| it.cpu_beside)),
            "p50_us": round(self.median(|it| it.p50)),
            "p99_us": round(self.median(|it| it.p99)),
            "spread": (self.spread() * 1000.0).round() / 1000.0,
            "foreign_cores": (self.median(|it| it.foreign) * 100.0).round() / 100.0,
        })
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "{:<28} {:>7.0} req/s  {:>6.1} us CPU  p50 {:>5.0} us  p99 {:>5.0} us  +-{:.0} %",
            self.contender.name(),
            self.requests_per_second(),
            self.median(Sample::whole_cpu),
            self.median(|it| it.p50),
            self.median(|it| it.p99),
            self.spread() * 50.0,
        )
    }
}
