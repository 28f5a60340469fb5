//! The dictionary of a column: each value once, in the order in which they came.
//!
//! In: values. Out: their places in the dictionary, and the dictionary as Parquet has it.

use std::hash::{BuildHasher, Hash};

use foldhash::fast::RandomState;
use hashbrown::HashTable;

/// A dictionary grows no further than to so many bytes, or a batch more.
pub(super) const DICTIONARY_BYTES: usize = 1024 * 1024;

/// Values one behind another. `width`: the bytes of each in Parquet, where all have the same size.
pub(super) trait Store: Default {
    type Value: ?Sized + Eq + Hash;

    fn len(&self) -> usize;

    fn get(&self, place: u32) -> &Self::Value;

    fn push(&mut self, value: &Self::Value);

    /// The bytes that all of them have in Parquet.
    fn plain_bytes(&self, width: usize) -> usize;

    fn into_plain(self, width: usize) -> Vec<u8>;

    /// Appends a value as Parquet has it.
    fn push_plain(value: &Self::Value, width: usize, plain: &mut Vec<u8>);
}

/// A number of some bits, as Parquet has it.
pub(super) trait Word: Copy + Eq + Hash {
    fn push_plain(self, width: usize, plain: &mut Vec<u8>);
}

/// Numbers of the same size.
pub(super) struct Words<W>(Vec<W>);

/// Texts and bytes, as Parquet has them: each behind its length.
#[derive(Default)]
pub(super) struct Texts {
    plain: Vec<u8>,
    /// Where each one begins and ends.
    places: Vec<(u32, u32)>,
}

/// The values of a column that are known so far.
pub(super) struct Dictionary<S> {
    pub(super) values: S,
    places: HashTable<u32>,
    /// Drawn for each dictionary, so that no producer can deliver values which all hash alike.
    hash: RandomState,
    /// Of the value that came last: many columns have the same value in many rows.
    last: Option<u32>,
}

impl Word for u32 {
    #[inline(always)]
    fn push_plain(self, _: usize, plain: &mut Vec<u8>) {
        plain.extend_from_slice(&self.to_le_bytes());
    }
}

impl Word for u64 {
    #[inline(always)]
    fn push_plain(self, _: usize, plain: &mut Vec<u8>) {
        plain.extend_from_slice(&self.to_le_bytes());
    }
}

/// A decimal: its lowest bytes, the highest of them first.
impl Word for u128 {
    #[inline(always)]
    fn push_plain(self, width: usize, plain: &mut Vec<u8>) {
        let bytes = self.to_be_bytes();
        match width {
            16 => plain.extend_from_slice(&bytes),
            width => plain.extend_from_slice(&bytes[bytes.len().saturating_sub(width)..]),
        }
    }
}

impl<W> Default for Words<W> {
    fn default() -> Words<W> {
        Words(Vec::new())
    }
}

impl<W: Word> Store for Words<W> {
    type Value = W;

    fn len(&self) -> usize {
        self.0.len()
    }

    #[inline(always)]
    fn get(&self, place: u32) -> &W {
        &self.0[place as usize]
    }

    fn push(&mut self, value: &W) {
        self.0.push(*value);
    }

    fn plain_bytes(&self, width: usize) -> usize {
        self.0.len() * width
    }

    fn into_plain(self, width: usize) -> Vec<u8> {
        let mut plain = Vec::with_capacity(self.plain_bytes(width));
        self.0.iter().for_each(|word| word.push_plain(width, &mut plain));
        plain
    }

    #[inline(always)]
    fn push_plain(value: &W, width: usize, plain: &mut Vec<u8>) {
        value.push_plain(width, plain);
    }
}

impl Store for Texts {
    type Value = [u8];

    fn len(&self) -> usize {
        self.places.len()
    }

    #[inline(always)]
    fn get(&self, place: u32) -> &[u8] {
        let (from, to) = self.places[place as usize];
        &self.plain[from as usize..to as usize]
    }

    fn push(&mut self, value: &[u8]) {
        Texts::push_plain(value, 0, &mut self.plain);
        let end = self.plain.len();
        self.places.push(((end - value.len()) as u32, end as u32));
    }

    fn plain_bytes(&self, _: usize) -> usize {
        self.plain.len()
    }

    fn into_plain(self, _: usize) -> Vec<u8> {
        self.plain
    }

    #[inline(always)]
    fn push_plain(value: &[u8], _: usize, plain: &mut Vec<u8>) {
        plain.extend_from_slice(&(value.len() as u32).to_le_bytes());
        plain.extend_from_slice(value);
    }
}

impl<S: Store> Dictionary<S> {
    pub(super) fn new() -> Dictionary<S> {
        let (places, hash) = (HashTable::new(), RandomState::default());
        Dictionary { values: S::default(), places, hash, last: None }
    }

    /// The place of a value, which is a new one if the value is new.
    #[inline(always)]
    pub(super) fn place(&mut self, value: &S::Value) -> u32 {
        match self.last {
            Some(last) if self.values.get(last) == value => last,
            _ => self.find(value),
        }
    }

    #[inline]
    fn find(&mut self, value: &S::Value) -> u32 {
        let Dictionary { values, places, hash, last } = self;
        let hashed = hash.hash_one(value);
        let is_it = |place: &u32| values.get(*place) == value;
        let place = match places.find(hashed, is_it) {
            Some(place) => *place,
            None => {
                let place = values.len() as u32;
                values.push(value);
                places.insert_unique(hashed, place, |place| hash.hash_one(values.get(*place)));
                place
            }
        };
        *last = Some(place);
        place
    }
}
