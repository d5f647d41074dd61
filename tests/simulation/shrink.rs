//! A world that went wrong, made as small as it still goes wrong in, and its story.

use crate::config::{Config, Trouble};
use crate::world::{Life, live};

/// How many smaller worlds are tried.
const MOST_TRIES: u32 = 120;

/// The last lines of a story that are printed.
const SHOWN_LINES: usize = 150;

/// Prints the seed, what went wrong, and the story of the smallest world in which it does.
pub fn tell(config: Config, life: &Life) {
    let Some((day, wrong)) = &life.wrong else { return };
    println!("seed {} fails on day {day}: {wrong}", config.seed);
    let (smallest, life) = if std::env::var_os("PAYDOWN_UNSHRUNK").is_some() {
        (config.clone(), live(config))
    } else {
        shrunk(config, wrong)
    };
    let troubles: Vec<&str> = smallest.odds.keys().map(|trouble| trouble.name()).collect();
    println!("shrunk to {} days, {} credits, and: {}", smallest.days, smallest.credits, troubles.join(", "));
    if let Some((day, wrong)) = &life.wrong {
        println!("which fails on day {day}: {wrong}");
    }
    let hidden = life.story.len().saturating_sub(SHOWN_LINES);
    if hidden > 0 && std::env::var_os("PAYDOWN_STORY").is_none() {
        println!("… {hidden} lines before (PAYDOWN_STORY=1 prints them)");
        life.story.iter().skip(hidden).for_each(|line| println!("{line}"));
    } else {
        life.story.iter().for_each(|line| println!("{line}"));
    }
}

fn shrunk(config: Config, wrong: &str) -> (Config, Life) {
    let kind = kind_of(wrong);
    let mut tries = 0;
    let mut fails = |candidate: &Config| {
        tries += 1;
        let life = (tries <= MOST_TRIES).then(|| live(candidate.clone()))?;
        life.wrong.as_ref().is_some_and(|(_, wrong)| kind_of(wrong) == kind).then_some(life)
    };
    let mut smallest = config;
    let mut last = None;
    loop {
        let mut has_shrunk = false;
        for candidate in smaller(&smallest) {
            if let Some(life) = fails(&candidate) {
                (smallest, last, has_shrunk) = (candidate, Some(life), true);
                break;
            }
        }
        if !has_shrunk {
            let life = last.unwrap_or_else(|| live(smallest.clone()));
            return (smallest, life);
        }
    }
}

/// What a failure begins with says of which kind it is.
fn kind_of(wrong: &str) -> &str {
    wrong.get(..6).unwrap_or(wrong)
}

/// Worlds that have less in them, the smallest first.
fn smaller(config: &Config) -> Vec<Config> {
    let mut found = Vec::new();
    for credits in [1, config.credits / 4, config.credits / 2, config.credits - 1] {
        if credits > 0 && credits < config.credits {
            found.push(Config { credits, ..config.clone() });
        }
    }
    for days in [config.days / 4, config.days / 2, config.days * 3 / 4, config.days - 1] {
        if days > 0 && days < config.days {
            found.push(Config { days, ..config.clone() });
        }
    }
    let troubles: Vec<Trouble> = config.odds.keys().copied().collect();
    for half in troubles.chunks(troubles.len().div_ceil(4).max(2)) {
        found.push(without(config, half));
    }
    for trouble in &troubles {
        found.push(without(config, std::slice::from_ref(trouble)));
    }
    found
}

fn without(config: &Config, troubles: &[Trouble]) -> Config {
    let mut config = config.clone();
    config.odds.retain(|trouble, _| !troubles.contains(trouble));
    config
}
