//! The archived reports, in R2.

use std::mem;

use async_trait::async_trait;
use worker::send::SendWrapper;
use worker::{Bucket, MultipartUpload, Range, UploadedPart};

use super::error_message;
use crate::error::Fault;
use crate::ports::{Archive, ArchiveWriter};

/// The size of a part: R2 wants at least 5 MiB, and all but the last alike. 10,000 parts are 48 GiB.
/// <https://developers.cloudflare.com/r2/objects/multipart-objects/>
const PART_BYTES: usize = 5 * 1024 * 1024;

/// The most parts that an object may have.
const MAX_PARTS: u16 = 10_000;

/// Integers beyond this one are not exact in JavaScript.
const MAX_SAFE_INTEGER: u64 = (1 << 53) - 1;

/// A bucket.
pub struct R2Archive(SendWrapper<Bucket>);

impl R2Archive {
    pub fn new(bucket: Bucket) -> R2Archive {
        R2Archive(SendWrapper::new(bucket))
    }
}

#[async_trait(?Send)]
impl Archive for R2Archive {
    async fn create(&self, key: &str) -> Result<Box<dyn ArchiveWriter>, Fault> {
        let bucket = (*self.0).clone();
        Ok(Box::new(R2Writer { bucket, key: key.into(), part: vec![], upload: None }))
    }

    async fn read(&self, key: &str, offset: u64, length: u64) -> Result<Vec<u8>, Fault> {
        if length == 0 {
            return Ok(vec![]);
        }
        if offset.max(length) > MAX_SAFE_INTEGER {
            return Err(Fault::Permanent(format!("{key} is read at {offset}+{length}, beyond any object")));
        }
        let range = Range::OffsetWithLength { offset, length };
        let object = match self.0.get(key).range(range).execute().await {
            Ok(object) => object,
            // A range that begins at the end or past it is an error, which no bucket words like another.
            Err(error) => {
                return if self.ends_by(key, offset).await? { Ok(vec![]) } else { Err(fault(error)) };
            }
        };
        let object = object.ok_or_else(|| Fault::Permanent(format!("the archive holds no {key}")))?;
        if object.size() <= offset {
            return Ok(vec![]);
        }
        match object.body() {
            Some(body) => body.bytes().await.map_err(fault),
            None => Err(Fault::Transient(format!("the archive gave {key} without its bytes"))),
        }
    }
}

impl R2Archive {
    /// Whether an object has no byte from `offset` on.
    async fn ends_by(&self, key: &str, offset: u64) -> Result<bool, Fault> {
        Ok(self.0.head(key).await.map_err(fault)?.is_some_and(|object| object.size() <= offset))
    }
}

/// An object that is being written: what fits one part in one go, else as a multipart upload.
///
/// An upload that is never finished leaves no object; R2 throws its parts away after seven days.
struct R2Writer {
    bucket: Bucket,
    key: String,
    /// What is not uploaded yet; at most a part between two writes.
    part: Vec<u8>,
    upload: Option<Upload>,
}

struct Upload {
    upload: MultipartUpload,
    parts: Vec<UploadedPart>,
}

#[async_trait(?Send)]
impl ArchiveWriter for R2Writer {
    async fn write(&mut self, mut bytes: &[u8]) -> Result<(), Fault> {
        while !bytes.is_empty() {
            // Only when more follows: the last part is written by `finish`.
            if self.part.len() >= PART_BYTES {
                self.upload_part().await?;
            }
            let room = PART_BYTES.saturating_sub(self.part.len()).min(bytes.len());
            let (now, later) = bytes.split_at(room);
            self.part.extend_from_slice(now);
            bytes = later;
        }
        Ok(())
    }

    async fn finish(mut self: Box<Self>) -> Result<(), Fault> {
        if self.upload.is_none() {
            return self.bucket.put(self.key, self.part).execute().await.map(|_| ()).map_err(fault);
        }
        self.upload_part().await?;
        match self.upload {
            Some(Upload { upload, parts }) => upload.complete(parts).await.map(|_| ()).map_err(fault),
            None => Ok(()),
        }
    }
}

impl R2Writer {
    async fn upload_part(&mut self) -> Result<(), Fault> {
        let Upload { upload, parts } = match &mut self.upload {
            Some(upload) => upload,
            none => {
                let begun = self.bucket.create_multipart_upload(&self.key).execute().await.map_err(fault)?;
                none.insert(Upload { upload: begun, parts: vec![] })
            }
        };
        let number = u16::try_from(parts.len()).ok().and_then(|count| count.checked_add(1));
        let number = number.filter(|number| *number <= MAX_PARTS);
        let number =
            number.ok_or_else(|| Fault::Permanent(format!("{} is too large to archive", self.key)))?;
        let bytes = mem::replace(&mut self.part, Vec::with_capacity(PART_BYTES));
        parts.push(upload.upload_part(number, bytes).await.map_err(fault)?);
        Ok(())
    }
}

fn fault(error: worker::Error) -> Fault {
    Fault::of_store(&error_message(&error))
}
