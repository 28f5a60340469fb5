//! The headers of an archive: one in front of each member, and the directory at the end.

use std::io::{self, BufRead, Read};

use super::refusal::{MAX_PASSED, cut_off, damaged, refusal};

/// The signatures of records, as their four bytes.
pub(super) const MEMBER: [u8; 4] = *b"PK\x03\x04";
pub(super) const SIZES_BEHIND: [u8; 4] = *b"PK\x07\x08";
const ENTRY: [u8; 4] = *b"PK\x01\x02";
const END: [u8; 4] = *b"PK\x05\x06";
const END_64: [u8; 4] = *b"PK\x06\x06";
const LOCATOR_64: [u8; 4] = *b"PK\x06\x07";

/// A size or offset of 32 bits that stands in the extra field instead.
const IN_EXTRA: u32 = u32::MAX;

/// What is known of a member.
#[derive(Clone, Debug, Default)]
pub(super) struct Header {
    pub(super) name: Vec<u8>,
    pub(super) method: u16,
    flags: u16,
    pub(super) sizes: Sizes,
    /// It has an extra field with sizes of 64 bits.
    pub(super) is_64: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Sizes {
    pub(super) crc: u32,
    pub(super) compressed: u64,
    pub(super) size: u64,
}

impl Header {
    /// Reads the header in front of a member, behind its signature.
    pub(super) fn read(source: &mut impl Read) -> io::Result<Header> {
        let fixed: [u8; 26] = array(source)?;
        let mut header = Header::of(&fixed[2..]);
        header.name = bytes(source, short(&fixed, 22))?;
        let extra = bytes(source, short(&fixed, 24))?;
        header.take_sizes_of_64_bits(&extra);
        Ok(header)
    }

    /// The fields that a member's header and its entry have alike: flags, method, time, date,
    /// sizes.
    fn of(fixed: &[u8]) -> Header {
        Header {
            flags: short(fixed, 0),
            method: short(fixed, 2),
            sizes: Sizes {
                crc: long(fixed, 8),
                compressed: long(fixed, 12).into(),
                size: long(fixed, 16).into(),
            },
            ..Header::default()
        }
    }

    // Each field of the extra has an id, a length, and its content. That of id 1 has the sizes that
    // did not fit, in this order.
    fn take_sizes_of_64_bits(&mut self, mut extra: &[u8]) {
        while let Some((head, rest)) = extra.split_first_chunk::<4>() {
            let length = usize::from(short(head, 2)).min(rest.len());
            let (field, others) = rest.split_at(length);
            if short(head, 0) == 1 {
                self.is_64 = true;
                let mut numbers = field
                    .chunks_exact(8)
                    .map(|number| u64::from(long(number, 0)) | u64::from(long(number, 4)) << 32);
                for size in [&mut self.sizes.size, &mut self.sizes.compressed] {
                    if *size == u64::from(IN_EXTRA) {
                        *size = numbers.next().unwrap_or(*size);
                    }
                }
            }
            extra = others;
        }
    }

    pub(super) fn is_encrypted(&self) -> bool {
        const ENCRYPTED: u16 = 1;
        const STRONGLY: u16 = 1 << 6;
        self.flags & (ENCRYPTED | STRONGLY) != 0
    }

    /// The sizes stand behind the member, since its writer did not know them before.
    pub(super) fn has_sizes_behind(&self) -> bool {
        self.flags & (1 << 3) != 0
    }

    /// It is no folder, and how long it is does not stand in front of it.
    pub(super) fn may_have_content(&self) -> bool {
        self.sizes.compressed == 0 && !self.name.ends_with(b"/")
    }

    /// Folders, and what macOS puts into archives.
    pub(super) fn is_passed_over(&self) -> bool {
        let of_macos = self.name.starts_with(b"__MACOSX/") || self.name.ends_with(b".DS_Store");
        self.name.ends_with(b"/") || of_macos
    }

    /// The name for a message.
    pub(super) fn shown(&self) -> String {
        const SHOWN: usize = 100;
        let name = String::from_utf8_lossy(&self.name);
        let shown: String = name.chars().take(SHOWN).flat_map(char::escape_debug).collect();
        format!("`{shown}`")
    }
}

/// The members that have come by, and what the archive's directory says of them.
#[derive(Default)]
pub(super) struct Directory {
    file: Option<Header>,
    passed: Vec<Header>,
}

impl Directory {
    pub(super) fn add_file(&mut self, header: Header) -> io::Result<()> {
        if let Some(first) = &self.file {
            let with = format!("several files, {} and {}", first.shown(), header.shown());
            return Err(refusal(&with, "deliver each file by itself"));
        }
        self.file = Some(header);
        Ok(())
    }

    pub(super) fn add_passed(&mut self, header: Header) -> io::Result<()> {
        self.passed.push(header);
        match self.passed.len() {
            0..=MAX_PASSED => Ok(()),
            _ => Err(refusal("very many folders", "deliver the file by itself")),
        }
    }

    /// Reads the directory, which begins with this signature, and the rest of the archive.
    // The directory is what other programs read. One that has other members than came by would be
    // another archive to them.
    pub(super) fn check(&self, source: &mut impl BufRead, first: [u8; 4]) -> io::Result<()> {
        let (mut next, mut entries) = (first, 0);
        while next == ENTRY {
            self.check_entry(source)?;
            entries += 1;
            next = signature(source)?;
        }
        if entries != self.passed.len() + usize::from(self.file.is_some()) {
            return Err(damaged("its directory has other files than the archive"));
        }
        read_end(source, next)?;
        match self.file {
            None => Err(refusal("no file in it", "deliver the CSV file")),
            Some(_) => Ok(()),
        }
    }

    fn check_entry(&self, source: &mut impl BufRead) -> io::Result<()> {
        let fixed: [u8; 42] = array(source)?;
        let mut entry = Header::of(&fixed[4..]);
        entry.name = bytes(source, short(&fixed, 24))?;
        entry.take_sizes_of_64_bits(&bytes(source, short(&fixed, 26))?);
        skip(source, short(&fixed, 28).into())?;
        let mut known = self.passed.iter().chain(&self.file);
        match known.find(|member| member.name == entry.name) {
            // Where the sizes stand behind the member, its header has none.
            Some(member) if member.has_sizes_behind() || member.sizes == entry.sizes => Ok(()),
            _ => Err(damaged("its directory has other files than the archive")),
        }
    }
}

/// Reads the records behind the directory, the first of which has this signature.
fn read_end(source: &mut impl BufRead, mut next: [u8; 4]) -> io::Result<()> {
    if next == END_64 {
        let length: [u8; 8] = array(source)?;
        skip(source, u64::from_le_bytes(length))?;
        next = signature(source)?;
    }
    if next == LOCATOR_64 {
        skip(source, 16)?;
        next = signature(source)?;
    }
    if next != END {
        return Err(damaged("no file and no directory stands where one should"));
    }
    let end: [u8; 18] = array(source)?;
    skip(source, short(&end, 16).into())?;
    match source.fill_buf()? {
        [] => Ok(()),
        _ => Err(refusal("bytes behind its end", "deliver one archive with one file")),
    }
}

/// The next four bytes.
pub(super) fn signature(source: &mut impl Read) -> io::Result<[u8; 4]> {
    array(source)
}

pub(super) fn array<const N: usize>(source: &mut impl Read) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    source.read_exact(&mut bytes).map_err(cut_off)?;
    Ok(bytes)
}

fn bytes(source: &mut impl Read, length: u16) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; length.into()];
    source.read_exact(&mut bytes).map_err(cut_off)?;
    Ok(bytes)
}

fn skip(source: &mut impl Read, length: u64) -> io::Result<()> {
    match io::copy(&mut source.take(length), &mut io::sink())? == length {
        true => Ok(()),
        false => Err(cut_off(io::ErrorKind::UnexpectedEof.into())),
    }
}

fn short(bytes: &[u8], at: usize) -> u16 {
    bytes.get(at..).and_then(<[u8]>::first_chunk).map_or(0, |bytes| u16::from_le_bytes(*bytes))
}

fn long(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..).and_then(<[u8]>::first_chunk).map_or(0, |bytes| u32::from_le_bytes(*bytes))
}
