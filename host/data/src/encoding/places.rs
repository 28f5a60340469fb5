//! Where the bytes of a transcoded text stand in their source.
//!
//! In: places in the text, in UTF-8. Out: places in the source, exactly. The transcoder adds a
//! checkpoint every now and then. From the checkpoint before a place, the characters of the text
//! are counted: in most encodings the text tells how long they are in the source. In the others the
//! source is kept in a temporary file, and the stretch from the checkpoint is read once more.

use std::fs::File;
use std::io;
use std::sync::{Mutex, PoisonError};

use loader_model::error::Result;

use super::decode::{Decode, MISTAKE};
use super::label::Encoding;
use super::watch::Watch;
use crate::read_at::ReadAt;
use crate::temporary;

/// The bytes of text between two checkpoints, at least. They bound the memory for a file (16 bytes
/// for each checkpoint), and the bytes that are read for a place.
const EVERY: u64 = 32 * 1024;

pub(crate) struct Places {
    encoding: Encoding,
    /// The source. `None` where the text tells how long its characters are in the source.
    source: Option<File>,
    counted: Mutex<Counted>,
    watch: Mutex<Watch>,
}

struct Counted {
    /// Up to here the transcoder has come.
    now: Checkpoint,
    /// In the order of the text.
    checkpoints: Vec<Checkpoint>,
}

/// Two places that belong together.
#[derive(Clone, Copy, Default)]
struct Checkpoint {
    text: u64,
    source: u64,
}

impl Places {
    pub(super) fn new(encoding: Encoding) -> Result<Places> {
        let is_told = encoding.0.is_single_byte() || encoding.is_utf_16();
        let source = (!is_told).then(temporary::file).transpose()?;
        let now = Checkpoint::default();
        let counted = Mutex::new(Counted { now, checkpoints: vec![now] });
        Ok(Places { encoding, source, counted, watch: Mutex::default() })
    }

    /// Takes the next bytes of the source.
    pub(super) fn keep(&self, source: &[u8]) -> Result<()> {
        self.watch.lock().unwrap_or_else(PoisonError::into_inner).feed(source);
        match &self.source {
            Some(file) => temporary::write(file, source),
            None => Ok(()),
        }
    }

    /// How many characters the source has outside of ASCII, if all of it is UTF-8; else 0.
    pub(crate) fn characters_of_utf_8(&self) -> u64 {
        self.watch.lock().unwrap_or_else(PoisonError::into_inner).characters()
    }

    /// Takes the next text, and how many bytes of the source were read for it. `begins_anew`: the
    /// decoder does not remember them.
    pub(super) fn add(&self, text: &[u8], read: usize, begins_anew: bool) {
        let is_told = self.source.is_none();
        let read = if is_told { self.bytes_of(text) } else { read as u64 };
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        let Checkpoint { text: to, source } = counted.now;
        counted.now = Checkpoint { text: to + text.len() as u64, source: source + read };
        let last = counted.checkpoints.last().map_or(0, |last| last.text);
        if (is_told || begins_anew) && counted.now.text >= last + EVERY {
            let now = counted.now;
            counted.checkpoints.push(now);
        }
    }

    /// Makes places in the text, which is in `text`, places in the source. In their order, so that
    /// no stretch is read twice.
    pub(crate) fn locate(&self, text: &dyn ReadAt, mut bytes: Vec<&mut u64>) -> io::Result<()> {
        bytes.sort_unstable();
        let mut walk = Walk::new(self, Checkpoint::default());
        for byte in bytes {
            let from = self.checkpoint_before(*byte);
            if from.text > walk.at.text {
                walk = Walk::new(self, from);
            }
            *byte = walk.to(text, *byte)?;
        }
        Ok(())
    }

    fn checkpoint_before(&self, byte: u64) -> Checkpoint {
        let counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        let checkpoints = &counted.checkpoints;
        let next = checkpoints.partition_point(|checkpoint| checkpoint.text <= byte);
        next.checked_sub(1).and_then(|at| checkpoints.get(at)).copied().unwrap_or_default()
    }

    /// The bytes in the source of text whose characters tell it.
    fn bytes_of(&self, text: &[u8]) -> u64 {
        let characters = text.iter().filter(|byte| **byte & 0xC0 != 0x80).count();
        match self.encoding.is_utf_16() {
            true => {
                let pairs = text.iter().filter(|byte| (0xF0..MISTAKE).contains(*byte)).count();
                2 * (characters + pairs) as u64
            }
            false => characters as u64,
        }
    }
}

/// The way through a stretch of the text.
struct Walk<'a> {
    places: &'a Places,
    at: Checkpoint,
    decode: Decode,
    /// The decoder has read so many bytes of the source behind `at`.
    unshown: u64,
}

impl Walk<'_> {
    fn new(places: &Places, at: Checkpoint) -> Walk<'_> {
        Walk { places, at, decode: Decode::new(places.encoding), unshown: 0 }
    }

    /// Goes on to a place in the text; returns the place in the source.
    fn to(&mut self, text: &dyn ReadAt, byte: u64) -> io::Result<u64> {
        match &self.places.source {
            Some(source) => self.decode_to(source, byte),
            None => self.count_to(text, byte),
        }
    }

    fn count_to(&mut self, text: &dyn ReadAt, byte: u64) -> io::Result<u64> {
        let mut buffer = [0; 8 * 1024];
        while self.at.text < byte {
            let length = (byte - self.at.text).min(buffer.len() as u64) as usize;
            let piece = &mut buffer[..length];
            text.read_exact_at(piece, self.at.text)?;
            self.at.text += length as u64;
            self.at.source += self.places.bytes_of(piece);
        }
        Ok(self.at.source)
    }

    /// Decodes the source again, byte by byte, until the text is as long.
    // A byte completes one character. It completes more only where it shows that the bytes before
    // it are none: in GBK 0x81 0x30 and a comma are a malformed byte, a digit and a comma. Those
    // are as long in the text as in the source.
    fn decode_to(&mut self, source: &File, byte: u64) -> io::Result<u64> {
        let (mut buffer, mut read, mut text) = ([0; 8 * 1024], 0..0, Vec::new());
        while self.at.text < byte {
            if read.is_empty() {
                let length = source.read_at(&mut buffer, self.at.source + self.unshown)?;
                if length == 0 {
                    break;
                }
                read = 0..length;
            }
            let next = read.start;
            read.start += 1;
            text.clear();
            self.decode.push(&buffer[next..=next], false, &mut text);
            self.unshown += 1;
            if !text.is_empty() {
                self.at.text += text.len() as u64;
                self.at.source += std::mem::take(&mut self.unshown);
            }
        }
        Ok(self.at.source - self.at.text.saturating_sub(byte))
    }
}
