//! Several runs in turn, so many rounds: A B C A B C. What is compared is of one round.

use crate::program::Outcome;
use crate::table::median;
use crate::table::short;
use crate::trial::Trial;

/// Runs and what each round showed of them.
pub struct Contest<F> {
    pub trials: Vec<Trial>,
    /// For each round, what each showed; nothing where it broke off.
    pub rounds: Vec<Vec<Option<F>>>,
}

/// What a run shows first of all.
pub trait Cost {
    /// Processor time of a message [µs].
    fn cpu_us(&self) -> f64;
}

impl<F: Cost> Contest<F> {
    pub fn run(trials: Vec<Trial>, rounds: usize, measure: impl Fn(&Trial) -> Outcome<F>) -> Self {
        let round = |round: usize| {
            let figures = trials.iter().map(|trial| {
                let result = measure(trial);
                let said = match &result {
                    Ok(figures) => format!("{} us", short(figures.cpu_us())),
                    Err(error) => error.clone(),
                };
                eprintln!("round {} {}: {said}", round + 1, trial.name);
                result.ok()
            });
            figures.collect()
        };
        let rounds = (0..rounds).map(round).collect();
        Self { trials, rounds }
    }

    /// The median of a figure of one of them.
    pub fn median(&self, index: usize, figure: impl Fn(&F) -> f64) -> f64 {
        median(self.of(index).map(figure))
    }

    /// The median of the ratios of a figure of two of them, round by round.
    pub fn ratio(&self, index: usize, base: usize, figure: impl Fn(&F) -> f64) -> f64 {
        median(self.rounds.iter().filter_map(|round| {
            let (one, base) = (round[index].as_ref()?, round[base].as_ref()?);
            Some(figure(one) / figure(base))
        }))
    }

    /// The sum of a count over all rounds of one of them.
    pub fn sum(&self, index: usize, count: impl Fn(&F) -> u64) -> u64 {
        self.of(index).map(count).sum()
    }

    /// Rounds in which one of them broke off.
    pub fn broken(&self, index: usize) -> usize {
        let of_rounds = self.rounds.iter();
        of_rounds.filter(|round| round[index].is_none()).count()
    }

    pub fn position(&self, name: &str) -> Option<usize> {
        self.trials.iter().position(|trial| trial.name == name)
    }

    fn of(&self, index: usize) -> impl Iterator<Item = &F> {
        let of_rounds = self.rounds.iter();
        of_rounds.filter_map(move |round| round[index].as_ref())
    }
}
