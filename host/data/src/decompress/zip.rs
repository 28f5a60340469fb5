//! The one file of a ZIP archive, as a stream.
//!
//! In: the archive, from its first byte. Out: the content of its file. The archive is read once, as
//! it comes, so what is wrong with it behind the file shows at the end: other files, a directory
//! that does not fit, bytes behind the archive. Folders and what macOS adds are passed over.
//!
//! Source: <https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT>

mod header;
mod member;
mod refusal;
#[cfg(test)]
mod tests;

use std::io::{self, BufReader, Read};

use header::{Directory, Header, signature};
use member::Member;
use refusal::{MAX_PASSED_BYTES, refusal};

/// Reads the one file of an archive.
pub(super) struct Zip<R> {
    source: BufReader<R>,
    directory: Directory,
    /// The file, while it is read.
    open: Option<Member>,
}

impl<R: Read> Zip<R> {
    /// Reads up to the file.
    pub(super) fn new(source: R) -> io::Result<Zip<R>> {
        let source = BufReader::with_capacity(64 * 1024, source);
        let mut zip = Zip { source, directory: Directory::default(), open: None };
        zip.go_on()?;
        Ok(zip)
    }

    /// Goes on to the file, or behind it to the end of the archive.
    fn go_on(&mut self) -> io::Result<()> {
        while let Some(header) = self.next_header()? {
            let mut member = Member::new(header.clone())?;
            if !header.is_passed_over() {
                self.directory.add_file(header)?;
                self.open = Some(member);
                return Ok(());
            }
            self.directory.add_passed(header)?;
            let mut piece = [0; 8 * 1024];
            while member.read(&mut self.source, &mut piece)? > 0 {
                if member.size() > MAX_PASSED_BYTES {
                    return Err(refusal("a large file beside the data", "take it out"));
                }
            }
        }
        Ok(())
    }

    /// The next member's header; `None` behind the end of the archive.
    fn next_header(&mut self) -> io::Result<Option<Header>> {
        match signature(&mut self.source)? {
            header::MEMBER => Header::read(&mut self.source).map(Some),
            other => self.directory.check(&mut self.source, other).map(|()| None),
        }
    }
}

impl<R: Read> Read for Zip<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(member) = &mut self.open else { return Ok(0) };
        let read = member.read(&mut self.source, buffer)?;
        if read == 0 && !buffer.is_empty() {
            self.open = None;
            self.go_on()?;
        }
        Ok(read)
    }
}
