//! The figures of a run.

use crate::contender::Contender;
use crate::decision::Decision;
use crate::figures::Figures;
use crate::hostile::Hostile;
use crate::module::Module;
use crate::sample::{Pace, Sample, median};
use crate::workload::Workload;

/// Everything that one run measured.
pub(crate) struct Results {
    pub(crate) pace: Pace,
    pub(crate) workloads: Vec<(Workload, Vec<Figures>)>,
    pub(crate) hostile: Vec<Hostile>,
    pub(crate) modules: Vec<Module>,
    pub(crate) decision: Option<Decision>,
}

impl Results {
    pub(crate) const fn new(pace: Pace) -> Self {
        Self {
            pace,
            workloads: Vec::new(),
            hostile: Vec::new(),
            modules: Vec::new(),
            decision: None,
        }
    }

    /// Measures these workloads, one after the other, and adds the results.
    pub(crate) fn add(&mut self, workloads: &[Workload], figures: Vec<Vec<Figures>>) {
        let workloads = workloads.iter().cloned();
        self.workloads.extend(workloads.zip(figures));
    }

    pub(crate) fn of(&self, workload: &str, contender: Contender) -> Option<&Figures> {
        let (_, figures) = self.workloads.iter().find(|(it, _)| it.name == workload)?;
        figures.iter().find(|it| it.contender == contender)
    }

    /// The ratio between two contenders of the same group: the median over the rounds. In
    /// each round both had the same conditions.
    pub(crate) fn ratio(&self, one: (&str, Contender), other: (&str, Contender)) -> Option<f64> {
        self.ratio_of(|sample| sample.requests_per_second, one, other)
    }

    /// The same for the CPU time of all processes.
    pub(crate) fn cpu_ratio(
        &self,
        one: (&str, Contender),
        other: (&str, Contender),
    ) -> Option<f64> {
        self.ratio_of(Sample::whole_cpu, one, other)
    }

    fn ratio_of(
        &self,
        figure: impl Fn(&Sample) -> f64,
        (workload, contender): (&str, Contender),
        (other_workload, other): (&str, Contender),
    ) -> Option<f64> {
        let one = self.of(workload, contender)?;
        let other = self.of(other_workload, other)?;
        let rounds = one.samples.iter().zip(&other.samples);
        Some(median(
            rounds.map(|(one, other)| figure(one) / figure(other)),
        ))
    }
}
