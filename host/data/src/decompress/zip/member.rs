//! One member of an archive: its bytes, and the check of them at its end.

use std::io::{self, BufRead, Read};

use flate2::{Crc, Decompress, FlushDecompress, Status};

use super::header::{Header, SIZES_BEHIND, Sizes, array, signature};
use super::refusal::{cut_off, damaged, refusal};

/// A member that is being read.
pub(super) struct Member {
    header: Header,
    data: Data,
    crc: Crc,
    has_ended: bool,
}

enum Data {
    /// As it is: so many bytes are left.
    Stored(u64),
    Deflated(Decompress),
}

impl Member {
    /// Errors: a member that is encrypted, or packed in a way that is not read.
    pub(super) fn new(header: Header) -> io::Result<Member> {
        const AGAIN: &str = "compress the CSV file with deflate, as zip does, or with gzip";
        if header.is_encrypted() {
            return Err(refusal("an encrypted file", "deliver it without encryption"));
        }
        let data = match header.method {
            0 if header.has_sizes_behind() && header.may_have_content() => {
                return Err(refusal("a file that is not compressed and has no size", AGAIN));
            }
            0 => Data::Stored(header.sizes.compressed),
            8 => Data::Deflated(Decompress::new(false)),
            method => {
                let with = format!("a file that is packed with {}", name_of(method));
                return Err(refusal(&with, AGAIN));
            }
        };
        Ok(Member { header, data, crc: Crc::new(), has_ended: false })
    }

    /// The bytes so far.
    pub(super) fn size(&self) -> u64 {
        match &self.data {
            Data::Stored(left) => self.header.sizes.compressed - left,
            Data::Deflated(inflate) => inflate.total_out(),
        }
    }

    /// The next bytes; 0 behind the last, once they are checked.
    pub(super) fn read(
        &mut self,
        source: &mut impl BufRead,
        buffer: &mut [u8],
    ) -> io::Result<usize> {
        if self.has_ended || buffer.is_empty() {
            return Ok(0);
        }
        let read = match &mut self.data {
            Data::Stored(left) => stored(source, left, buffer)?,
            Data::Deflated(inflate) => inflated(source, inflate, buffer)?,
        };
        self.crc.update(&buffer[..read]);
        if read == 0 {
            self.has_ended = true;
            self.check(source)?;
        }
        Ok(read)
    }

    fn check(&self, source: &mut impl BufRead) -> io::Result<()> {
        let compressed = match &self.data {
            Data::Stored(_) => self.header.sizes.compressed,
            Data::Deflated(inflate) => inflate.total_in(),
        };
        let found = Sizes { crc: self.crc.sum(), compressed, size: self.size() };
        let said = match self.header.has_sizes_behind() {
            true => self.sizes_behind(source, &found)?,
            false => self.header.sizes,
        };
        match said == found {
            true => Ok(()),
            false => Err(damaged("its size or its checksum is not what the archive says")),
        }
    }

    /// Reads the sizes behind the member.
    // Their signature is optional. They have 64 bits where the header has an extra field for them,
    // and where they must: some writers learn too late that they need them.
    fn sizes_behind(&self, source: &mut impl Read, found: &Sizes) -> io::Result<Sizes> {
        let mut crc = signature(source)?;
        if crc == SIZES_BEHIND {
            crc = array(source)?;
        }
        let most = found.compressed.max(found.size);
        let (compressed, size) = if self.header.is_64 || most > u32::MAX.into() {
            (u64::from_le_bytes(array(source)?), u64::from_le_bytes(array(source)?))
        } else {
            let (compressed, size) = (array(source)?, array(source)?);
            (u32::from_le_bytes(compressed).into(), u32::from_le_bytes(size).into())
        };
        Ok(Sizes { crc: u32::from_le_bytes(crc), compressed, size })
    }
}

fn stored(source: &mut impl BufRead, left: &mut u64, buffer: &mut [u8]) -> io::Result<usize> {
    let most = usize::try_from(*left).unwrap_or(usize::MAX).min(buffer.len());
    let read = source.read(&mut buffer[..most])?;
    if read == 0 && most > 0 {
        return Err(cut_off(io::ErrorKind::UnexpectedEof.into()));
    }
    *left -= read as u64;
    Ok(read)
}

fn inflated(
    source: &mut impl BufRead,
    inflate: &mut Decompress,
    buffer: &mut [u8],
) -> io::Result<usize> {
    loop {
        let input = source.fill_buf()?;
        let is_last = input.is_empty();
        let (read_before, before) = (inflate.total_in(), inflate.total_out());
        let status = inflate.decompress(input, buffer, FlushDecompress::None)?;
        let read = (inflate.total_in() - read_before) as usize;
        let written = (inflate.total_out() - before) as usize;
        source.consume(read);
        match status {
            _ if written > 0 => return Ok(written),
            Status::StreamEnd => return Ok(0),
            _ if is_last => return Err(cut_off(io::ErrorKind::UnexpectedEof.into())),
            _ if read == 0 => return Err(damaged("its compressed bytes are not deflate")),
            _ => (),
        }
    }
}

fn name_of(method: u16) -> String {
    let name = match method {
        9 => "Deflate64",
        12 => "bzip2",
        14 => "LZMA",
        93 => "zstd",
        95 => "xz",
        98 => "PPMd",
        99 => "AES encryption",
        _ => return format!("method {method}"),
    };
    name.to_owned()
}
