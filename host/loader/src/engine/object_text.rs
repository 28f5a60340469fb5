//! An object as a text of which any stretch can be read: for the few places of a file that the
//! process looks at again, while others read the whole of it.

use std::collections::VecDeque;
use std::io::{self, Read};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use loader_data::read_at::ReadAt;
use loader_data::stored::{Access, StoredObject};

/// The bytes of a block: as of a range that is read by one request.
const BLOCK_BYTES: u64 = 4 << 20;
/// Blocks that are kept. The sifting of broken rows reads on in windows of 16 MiB, and finds most of
/// each window among these.
const BLOCKS: usize = 8;

/// An object, block by block.
pub(crate) struct ObjectText {
    access: Arc<dyn Access>,
    object: StoredObject,
    /// The object's first bytes.
    head: Bytes,
    /// The blocks that were read last, with their numbers.
    blocks: Mutex<VecDeque<(u64, Bytes)>>,
}

impl ObjectText {
    /// `head`: the first bytes of the object.
    pub(crate) fn new(access: Arc<dyn Access>, object: StoredObject, head: Bytes) -> ObjectText {
        ObjectText { access, object, head, blocks: Mutex::default() }
    }

    /// A block. The thread may be one of the runtime: what is looked at again is so little that steps
    /// look at it where they are, so the runtime's other work goes elsewhere meanwhile.
    fn block(&self, number: u64) -> io::Result<Bytes> {
        tokio::task::block_in_place(|| self.read_block(number))
    }

    fn read_block(&self, number: u64) -> io::Result<Bytes> {
        let lock = || self.blocks.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, block)) = lock().iter().find(|(kept, _)| *kept == number) {
            return Ok(block.clone());
        }
        let start = number * BLOCK_BYTES;
        let end = self.object.size_bytes.min(start + BLOCK_BYTES);
        let mut block = Vec::with_capacity(usize::try_from(end - start).unwrap_or_default());
        self.access
            .read(&self.object, start..end)
            .map_err(io::Error::other)?
            .read_to_end(&mut block)?;
        let block = Bytes::from(block);
        let mut blocks = lock();
        blocks.truncate(BLOCKS - 1);
        blocks.push_front((number, block.clone()));
        Ok(block)
    }
}

impl ReadAt for ObjectText {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        if offset >= self.object.size_bytes {
            return Ok(0);
        }
        let within = |text: &[u8], at: u64, buffer: &mut [u8]| {
            let rest = usize::try_from(at).ok().and_then(|at| text.get(at..)).unwrap_or_default();
            let read = rest.len().min(buffer.len());
            buffer[..read].copy_from_slice(&rest[..read]);
            read
        };
        if offset < self.head.len() as u64 {
            return Ok(within(&self.head, offset, buffer));
        }
        let number = offset / BLOCK_BYTES;
        Ok(within(&self.block(number)?, offset % BLOCK_BYTES, buffer))
    }
}
