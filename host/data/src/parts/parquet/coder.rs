//! The values of a column on their way into pages: their places in a dictionary, as long as that is
//! small, and else the values themselves.

use std::borrow::Borrow;

use arrow::buffer::NullBuffer;
use loader_model::error::Result;
use parquet::basic::Encoding;

use super::dictionary::{DICTIONARY_BYTES, Dictionary, Store};
use super::hybrid;
use super::pages::{DictionaryPage, Levels, Pages};

/// The values of the page in the making, and the dictionary of the column.
pub(super) struct Coder<S> {
    dictionary: Option<Dictionary<S>>,
    /// Values go into the dictionary.
    is_growing: bool,
    places: Vec<u32>,
    plain: Vec<u8>,
    /// The bytes of each value, where all have the same size.
    width: usize,
}

impl<S: Store> Coder<S> {
    pub(super) fn new(has_dictionary: bool, width: usize) -> Coder<S> {
        Coder {
            dictionary: has_dictionary.then(Dictionary::new),
            is_growing: has_dictionary,
            places: Vec::new(),
            plain: Vec::new(),
            width,
        }
    }

    /// Appends the values that are not NULL.
    pub(super) fn push<V: Borrow<S::Value>>(
        &mut self,
        values: impl ExactSizeIterator<Item = V>,
        nulls: Option<&NullBuffer>,
    ) {
        match nulls.filter(|nulls| nulls.null_count() > 0) {
            None => self.push_all(values),
            Some(nulls) => {
                let valid = values.zip(nulls.iter()).filter(|(_, is_value)| *is_value);
                self.push_all(valid.map(|(value, _)| value));
            }
        }
    }

    #[inline(always)]
    fn push_all<V: Borrow<S::Value>>(&mut self, values: impl Iterator<Item = V>) {
        let Coder { dictionary, places, plain, width, .. } = self;
        match dictionary.as_mut().filter(|_| self.is_growing) {
            Some(dictionary) => {
                places.extend(values.map(|value| dictionary.place(value.borrow())));
            }
            None => {
                plain.reserve(values.size_hint().0 * *width);
                values.for_each(|value| S::push_plain(value.borrow(), *width, plain));
            }
        }
    }

    /// Roughly the bytes of the page's values.
    pub(super) fn bytes_of_page(&self) -> usize {
        self.plain.len() + self.places.len() * self.width_of_places().div_ceil(8) as usize
    }

    pub(super) fn bytes_of_dictionary(&self) -> usize {
        self.dictionary.as_ref().map_or(0, |known| known.values.plain_bytes(self.width))
    }

    /// Whether no further values should go into the dictionary.
    pub(super) fn has_outgrown_dictionary(&self) -> bool {
        self.is_growing && self.bytes_of_dictionary() > DICTIONARY_BYTES
    }

    /// Writes the page, and begins the next one.
    pub(super) fn write(&mut self, levels: &mut Levels, pages: &mut Pages) -> Result<()> {
        if !self.is_growing {
            pages.write(levels, Encoding::PLAIN, |page| page.extend_from_slice(&self.plain))?;
            self.plain.clear();
            return Ok(());
        }
        let width = self.width_of_places();
        pages.write(levels, Encoding::RLE_DICTIONARY, |page| {
            page.push(width as u8);
            hybrid::encode(&self.places, width, page);
        })?;
        self.places.clear();
        self.is_growing = !self.has_outgrown_dictionary();
        Ok(())
    }

    /// The dictionary, when all pages are written.
    pub(super) fn finish(self) -> Option<DictionaryPage> {
        let Dictionary { values, .. } = self.dictionary?;
        Some(DictionaryPage { values: values.len(), plain: values.into_plain(self.width) })
    }

    fn width_of_places(&self) -> u32 {
        let values = self.dictionary.as_ref().map_or(0, |known| known.values.len());
        hybrid::width_of(values.saturating_sub(1) as u32)
    }
}
