//! How a story's events fall on its days.

use super::{
    Plan,
    calendar::{City, is_weekend},
    dice::Dice,
};
use chrono::{NaiveDate, TimeDelta};
use domain::time::Timestamp;
use std::collections::VecDeque;

/// A day of the story, and how many events are begun on it.
pub struct Day {
    /// Which day, in UTC.
    pub date: NaiveDate,
    /// How many.
    pub events: usize,
    /// Of a thousand, those that people begin.
    pub people: i64,
}

/// How many events begin on which day: working days more than weekends, late days more than early
/// ones, and each a little by chance.
pub fn spread(plan: &Plan, fresh: usize, dice: &mut Dice) -> VecDeque<Day> {
    let (start, now) = (plan.start(), plan.now);
    let first = start.datetime().date_naive();
    let last = now.datetime().date_naive();
    let length = (now.micros() - start.micros()).max(1);
    let mut days = Vec::new();
    for date in first.iter_days().take_while(|date| *date <= last) {
        let begin = Timestamp::from(date.and_time(chrono::NaiveTime::MIN).and_utc());
        let from = begin.max(start).micros();
        let until = begin.plus(TimeDelta::days(1)).min(now).micros();
        let part = (until - from).max(0) / 86_400_000;
        let diligence: i64 = City::ALL.iter().map(|city| city.diligence(date)).sum();
        let people = diligence * 13;
        let bots = 2_600 + if is_weekend(date) { 0 } else { 900 };
        let growth = 700 + (from - start.micros()) * 600 / length;
        let chance = dice.between(85, 118);
        let weight = (people + bots) * part * growth / 1_000 * chance / 100;
        days.push((date, weight, people * 1_000 / (people + bots)));
    }
    let whole: i128 = days.iter().map(|(_, weight, _)| i128::from(*weight)).sum();
    let count = i128::try_from(fresh).unwrap_or(0);
    let (mut sum, mut given) = (0, 0);
    let days = days.into_iter().map(|(date, weight, people)| {
        sum += i128::from(weight);
        let until = usize::try_from(count * sum / whole.max(1)).unwrap_or(0);
        let events = until - given;
        given = until;
        Day {
            date,
            events,
            people,
        }
    });
    days.collect()
}
