use super::{
    form::{Object, attachment},
    key::Folder,
    kind::{Format, Kind, PREVIEW},
};

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
    /// All that is uploaded together, in bytes.
    pub fn all_bytes(&self) -> u64 {
        self.previews.iter().fold(self.bytes, |sum, preview| sum.saturating_add(*preview))
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
