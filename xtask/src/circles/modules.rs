//! The modules of one crate: which file each is in, what it contains, and what it names.
//!
//! In goes the file in which the crate begins; `mod x;` leads to the others. Tests are left out.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use syn::ext::IdentExt;
use syn::{Ident, Item, ItemMod};

use super::paths::{Paths, is_test};
use crate::failure::{Failure, failure};

/// The number of a module in [`Modules`]. The crate's root is 0.
pub(super) type ModuleId = usize;

pub(super) struct Module {
    pub(super) file: String,
    pub(super) parent: Option<ModuleId>,
    pub(super) children: BTreeMap<String, ModuleId>,
    /// The names that are defined here: types, functions, constants and so on.
    pub(super) items: BTreeSet<String>,
    pub(super) paths: Paths,
}

/// All modules of a crate.
pub(super) struct Modules(pub(super) Vec<Module>);

/// Gives the text of a file of the workspace; `None` when there is no such file.
type Read<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Where a module stands in the source.
struct Place {
    file: String,
    /// The folder in which the files of its child modules are.
    folder: String,
    parent: Option<ModuleId>,
}

impl Modules {
    pub(super) fn read(crate_root: &str, read: Read<'_>) -> Result<Modules, Failure> {
        let Some(text) = read(crate_root) else {
            return failure(format!("{crate_root} cannot be read"));
        };
        let folder = Path::new(crate_root).parent().unwrap_or(Path::new(""));
        let folder = folder.to_string_lossy().into_owned();
        let place = Place { file: crate_root.to_owned(), folder, parent: None };
        let mut modules = Modules(Vec::new());
        modules.add(place, &parse(crate_root, &text)?, read)?;
        Ok(modules)
    }

    /// Adds a module and the modules below it.
    fn add(&mut self, place: Place, items: &[Item], read: Read<'_>) -> Result<ModuleId, Failure> {
        let id = self.0.len();
        self.0.push(Module {
            file: place.file.clone(),
            parent: place.parent,
            children: BTreeMap::new(),
            items: items.iter().filter_map(defined_name).map(text_of).collect(),
            paths: Paths::of(items),
        });
        for item in items {
            if let Item::Mod(child) = item
                && !is_test(&child.attrs)
            {
                let child_id = self.add_child(id, &place, child, read)?;
                self.0[id].children.insert(text_of(&child.ident), child_id);
            }
        }
        Ok(id)
    }

    fn add_child(
        &mut self,
        parent: ModuleId,
        place: &Place,
        child: &ItemMod,
        read: Read<'_>,
    ) -> Result<ModuleId, Failure> {
        let name = text_of(&child.ident);
        let folder = format!("{}/{name}", place.folder);
        if let Some((_, items)) = &child.content {
            let place = Place { file: place.file.clone(), folder, parent: Some(parent) };
            return self.add(place, items, read);
        }
        let Some((file, text)) = find_file(&folder, read) else {
            return failure(format!("{} declares `mod {name}`, which has no file", place.file));
        };
        let items = parse(&file, &text)?;
        self.add(Place { file, folder, parent: Some(parent) }, &items, read)
    }
}

/// The name and the text of a module's file, `folder.rs` or `folder/mod.rs`. The modules below it
/// are in `folder`.
fn find_file(folder: &str, read: Read<'_>) -> Option<(String, String)> {
    let files = [format!("{folder}.rs"), format!("{folder}/mod.rs")];
    files.into_iter().find_map(|file| read(&file).map(|text| (file, text)))
}

fn parse(file: &str, text: &str) -> Result<Vec<Item>, Failure> {
    match syn::parse_file(text) {
        Ok(parsed) => Ok(parsed.items),
        Err(error) => failure(format!("{file} is not Rust: {error}")),
    }
}

fn text_of(name: &Ident) -> String {
    name.unraw().to_string()
}

/// The name that an item adds to its module. Modules and imports are kept apart.
fn defined_name(item: &Item) -> Option<&Ident> {
    match item {
        Item::Const(item) => Some(&item.ident),
        Item::Enum(item) => Some(&item.ident),
        Item::Fn(item) => Some(&item.sig.ident),
        Item::Macro(item) => item.ident.as_ref(),
        Item::Static(item) => Some(&item.ident),
        Item::Struct(item) => Some(&item.ident),
        Item::Trait(item) => Some(&item.ident),
        Item::TraitAlias(item) => Some(&item.ident),
        Item::Type(item) => Some(&item.ident),
        Item::Union(item) => Some(&item.ident),
        _ => None,
    }
}
