use super::{
    form::{Object, attachment},
    key::Folder,
    kind::{Format, Kind, PREVIEW},
};

/// What an object counts for at least, in bytes.
const LEAST_COUNTED: u64 = 64 * 1024;

/// What somebody wants to upload, with its sizes in bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upload {
    /// What kind it is of.
    pub kind: Kind,
    /// What it is.
    pub format: Format,
    /// How large it is.
    pub bytes: u64,
    /// What a file is called.
    pub name: Option<String>,
    /// How large its previews are.
    pub previews: Vec<u64>,
}

impl Upload {
    /// What all that is uploaded together counts for, in bytes. An upload costs something however small it is, so each
    /// object counts as 64 KB at least.
    pub fn counted_bytes(&self) -> u64 {
        let sizes = self.previews.iter().copied().chain([self.bytes]);
        sizes.fold(0, |sum: u64, bytes| sum.saturating_add(bytes.max(LEAST_COUNTED)))
    }

    /// What was chosen, in a folder of its own. A file is never shown, whatever it is.
    pub fn original<'a>(&self, bucket: &'a str, folder: &Folder) -> Object<'a> {
        Object {
            bucket,
            key: folder.original(&self.format),
            content_type: self.format.content_type(),
            content_disposition: (self.kind == Kind::File).then(|| attachment(self.name.as_deref())),
            max_bytes: self.bytes,
        }
    }

    /// Its previews, in their order.
    pub fn previews<'a>(&self, bucket: &'a str, folder: &Folder) -> impl Iterator<Item = Object<'a>> {
        self.previews.iter().zip(1..).map(move |(bytes, number)| Object {
            bucket,
            key: folder.preview(number),
            content_type: PREVIEW.content_type(),
            content_disposition: None,
            max_bytes: *bytes,
        })
    }
}
