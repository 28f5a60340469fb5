//! Properties that must hold for every plugin. The harness tries them on each input.
//!
//! A load cuts a file into batches at any place and hands them to several instances in no
//! particular order, so a row may depend on nothing but its own values. (For example, a plugin that
//! numbers its rows gives each worker's first row the number 1.) The sandbox gives a plugin neither
//! a clock nor random numbers, so the other properties should hold by themselves; a plugin that
//! breaks one of them is badly wrong.

use std::fmt;

use loader_csv::Dialect;

use crate::difference;
use crate::error::HarnessError;
use crate::harness::Harness;
use crate::input::{Input, all_null};
use crate::output::PluginOutput;
use crate::trial::{RawOutput, Trial};

/// A property that must hold for every plugin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Property {
    /// Batches of 1, 7 and all rows give the same rows and rejects.
    Batches,
    /// Rows dealt to two instances in turns, the last row first, come out as from one instance.
    Instances,
    /// A batch without rows is accepted, and changes nothing.
    EmptyBatch,
    /// Rows in which every value is NULL are accepted or rejected one by one; the batch is not
    /// refused.
    AllNull,
    /// A session that is opened after another session ended gives the same rows and counters.
    SecondSession,
    /// Plan and rows come out the same, to the byte, when the plugin plans and runs again.
    Rerun,
}

/// A property that does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// The property.
    pub property: Property,
    /// Where the rows show it, and what the plugin's author has to do.
    pub message: String,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Harness {
    /// Tries every [`Property`] on CSV text and returns the broken ones.
    ///
    /// Errors: the plugin fails on the text as it is, in one batch. Then there is nothing to
    /// compare with.
    ///
    /// ```no_run
    /// let plugin = loader_harness::Harness::open("plugins/default.wasm")?;
    /// let broken = plugin.broken_properties("id\n1\n2\n")?;
    /// assert_eq!(broken, []);
    /// # Ok::<(), loader_harness::HarnessError>(())
    /// ```
    pub fn broken_properties(&self, text: impl AsRef<[u8]>) -> Result<Vec<Broken>, HarnessError> {
        Ok(self.whole_and_broken(text.as_ref(), self.own_dialect())?.1)
    }

    /// The output of the text in one batch, and the properties that do not hold for it.
    // The first failure of `Batches` ends that property: rows that depend on their batch differ
    // with 1 row and with 7, and two messages say no more than one. `Instances` also hands over
    // single rows, so it is skipped then: it would find the same mistake again. `Rerun` makes a
    // plan of its own, because the plan may differ as well.
    pub(crate) fn whole_and_broken(
        &self,
        text: &[u8],
        dialect: &Dialect,
    ) -> Result<(PluginOutput, Vec<Broken>), HarnessError> {
        let trial = self.trial(text, dialect)?;
        let raw = trial.run(trial.rows())?;
        let bytes = bytes(&trial, &raw)?;
        let whole = trial.output(raw);
        let mut broken = Vec::new();
        let mut add = |property, message: Option<String>| {
            broken.extend(message.map(|message| Broken { property, message }));
        };
        let single = batches(&trial, &whole, 1);
        let cut = match &single {
            Err(message) => Some(message.clone()),
            Ok(_) => batches(&trial, &whole, 7).err(),
        };
        add(Property::Batches, cut);
        if let Ok(single) = &single {
            add(Property::Instances, instances(&trial, single));
        }
        add(Property::EmptyBatch, empty_batch(&trial, &whole));
        add(Property::AllNull, nulls(&trial)?);
        add(Property::SecondSession, second_session(&trial, &whole));
        let again = self.trial(text, dialect);
        add(Property::Rerun, rerun(again, &whole, &bytes));
        Ok((whole, broken))
    }
}

/// The output in batches of this size, or how it differs from the whole.
fn batches(trial: &Trial, whole: &PluginOutput, rows: usize) -> Result<PluginOutput, String> {
    const FACT: &str = "rows depend on how the file is cut into batches";
    const DUTY: &str = "every load cuts its file elsewhere: a plugin must not keep state between \
                        batches, nor between the rows of one; each row is made from its own values \
                        alone";
    let how = format!("with batches of {rows} row{}", if rows == 1 { "" } else { "s" });
    let cut = trial.run(rows).map_err(|error| format!("{FACT}: {how} it fails: {error}"))?;
    let cut = trial.output(cut);
    match difference::first(whole, "with all rows in one batch", &cut, &how) {
        Some(difference) => Err(format!("{FACT}: {difference}; {DUTY}")),
        None => Ok(cut),
    }
}

fn instances(trial: &Trial, single: &PluginOutput) -> Option<String> {
    const FACT: &str = "rows depend on what the session has seen before";
    const HOW: &str = "dealt in turns to two sessions, last row first";
    let dealt = match trial.run_dealt() {
        Ok(raw) => trial.output(raw),
        Err(error) => return Some(format!("{FACT}: {HOW}, it fails: {error}")),
    };
    let difference = difference::first(single, "in one session, in order,", &dealt, HOW)?;
    Some(format!(
        "{FACT}: {difference}; a load spreads batches over sessions in no particular order: a \
         plugin must not keep state between batches"
    ))
}

fn empty_batch(trial: &Trial, whole: &PluginOutput) -> Option<String> {
    let after = match trial.run_after_empty() {
        Ok(raw) => trial.output(raw),
        Err(error) => {
            return Some(format!(
                "a batch without rows is not taken: {error}; it has to give columns without rows"
            ));
        }
    };
    let difference = difference::first(whole, "without it", &after, "after an empty batch")?;
    Some(format!("a batch without rows changes what comes after it: {difference}"))
}

// A plugin may reject every such row, so the output is not looked at: only a failed call breaks the
// property.
fn nulls(trial: &Trial) -> Result<Option<String>, HarnessError> {
    let input = Input { batch: all_null(&trial.input.batch)?, ..trial.input.clone() };
    let nulls = Trial {
        chain: trial.chain.clone(),
        input,
        values: trial.values.clone(),
        log: trial.log.clone(),
        planning_log: Vec::new(),
    };
    Ok(nulls.run(nulls.rows()).err().map(|error| {
        format!(
            "rows in which every value is NULL are not taken: {error}; NULL becomes a value, NULL, \
             or a rejected row"
        )
    }))
}

fn second_session(trial: &Trial, whole: &PluginOutput) -> Option<String> {
    let again = match trial.run(trial.rows()) {
        Ok(raw) => trial.output(raw),
        Err(error) => return Some(format!("a second session after the first one fails: {error}")),
    };
    let difference =
        difference::first(whole, "in the first session", &again, "in a second session")
            .or_else(|| counters(whole, &again))?;
    Some(format!(
        "a second session does not agree with the first one: {difference}; nothing may outlive a \
         session"
    ))
}

// The values are compared first, because they name row and column. Bytes can differ where values do
// not: a NULL has a value of no meaning in the buffer, and NaN has many bit patterns.
fn rerun(
    again: Result<Trial, HarnessError>,
    whole: &PluginOutput,
    first_bytes: &[u8],
) -> Option<String> {
    const FACT: &str = "the same input gives something else when all is done again";
    let run = || -> Result<(PluginOutput, Vec<u8>), HarnessError> {
        let trial = again?;
        let raw = trial.run(trial.rows())?;
        let bytes = bytes(&trial, &raw)?;
        Ok((trial.output(raw), bytes))
    };
    let (output, bytes) = match run() {
        Ok(rerun) => rerun,
        Err(error) => return Some(format!("{FACT}: it fails: {error}")),
    };
    let difference = difference::first(whole, "at first", &output, "the second time").or_else(|| {
        let hidden = "every value is the same, but not every byte (what stands under a NULL, or \
                      the bits of a NaN)";
        (bytes != first_bytes).then(|| hidden.to_owned())
    })?;
    Some(format!("{FACT}: {difference}; a plugin depends on its config and its input alone"))
}

fn counters(whole: &PluginOutput, again: &PluginOutput) -> Option<String> {
    let text = |output: &PluginOutput| {
        let counters: Vec<String> =
            output.counters.iter().map(|(name, value)| format!("{name} = {value}")).collect();
        if counters.is_empty() { "none".to_owned() } else { counters.join(", ") }
    };
    let differ = whole.counters != again.counters;
    differ.then(|| {
        format!("its counters are {}, those of the first session {}", text(again), text(whole))
    })
}

/// The output's schema and batches as bytes.
fn bytes(trial: &Trial, raw: &RawOutput) -> Result<Vec<u8>, HarnessError> {
    let mut bytes = loader_ipc::encode_schema(&trial.chain.output);
    for (batch, _) in &raw.parts {
        bytes.extend(
            loader_ipc::encode_batch(batch)
                .map_err(|error| HarnessError::Input(error.to_string()))?,
        );
    }
    Ok(bytes)
}
