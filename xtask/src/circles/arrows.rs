//! Which file of a crate takes which names from which other file.
//!
//! A name is followed to the file that defines it: through modules, `use` lines and globs, however
//! many. (`crate::a::f` is an arrow to `a/b.rs` when `a.rs` only says `pub use b::f`.) `mod` lines
//! and `pub use` lines are no arrows of their own file.

use std::collections::{BTreeMap, BTreeSet};

use super::modules::{Module, ModuleId, Modules};
use super::paths::Use;

/// The names that the first file takes from the second.
pub(super) type Arrows = BTreeMap<(String, String), BTreeSet<String>>;

/// What a path leads to.
enum Target {
    Module(ModuleId),
    /// Something in the module: an item, or what belongs to one (a variant, a method).
    Item(ModuleId, String),
}

/// The names that are being looked for. `use serde_json;` would look for itself without end.
type Visited = Vec<(ModuleId, String)>;

/// All arrows of a crate.
pub(super) fn between_files(modules: &Modules) -> Arrows {
    let mut arrows = Arrows::new();
    for (from, module) in modules.0.iter().enumerate() {
        let imports = module.paths.uses.iter().filter(|import| !import.is_export);
        let imported = imports.filter_map(|import| modules.imported(from, import));
        let named = module.paths.in_code.iter().filter_map(|path| modules.named(from, path));
        for (to, name) in imported.chain(named) {
            let to = &modules.0[to].file;
            if *to != module.file {
                arrows.entry((module.file.clone(), to.clone())).or_default().insert(name);
            }
        }
    }
    arrows
}

impl Modules {
    /// The module and the name in it that a `use` line takes. A module alone is nothing yet: the
    /// paths that begin with it say what is taken.
    fn imported(&self, from: ModuleId, import: &Use) -> Option<(ModuleId, String)> {
        match self.follow(from, &import.path, &mut Visited::new())? {
            Target::Module(to) if import.name.is_none() => Some((to, "*".to_owned())),
            Target::Module(_) => None,
            Target::Item(to, name) => Some((to, name)),
        }
    }

    fn named(&self, from: ModuleId, path: &[String]) -> Option<(ModuleId, String)> {
        match self.follow(from, path, &mut Visited::new())? {
            Target::Module(_) => None,
            Target::Item(to, name) => Some((to, name)),
        }
    }

    /// What a path of the module `from` leads to; `None` when it leads out of the crate.
    fn follow(&self, from: ModuleId, path: &[String], visited: &mut Visited) -> Option<Target> {
        let (first, rest) = path.split_first()?;
        let mut target = match first.as_str() {
            "crate" => Target::Module(0),
            "self" => Target::Module(from),
            "super" => Target::Module(self.module(from).parent?),
            name => self.find(from, name, visited)?,
        };
        for name in rest {
            let Target::Module(module) = target else { break };
            target = match name.as_str() {
                "super" => Target::Module(self.module(module).parent?),
                name => self.find(module, name, visited).unwrap_or_else(|| {
                    // What a macro defines is not seen; it is in the deepest module that is.
                    Target::Item(module, name.to_owned())
                }),
            };
        }
        Some(target)
    }

    /// What a module calls by this name.
    fn find(&self, id: ModuleId, name: &str, visited: &mut Visited) -> Option<Target> {
        let sought = (id, name.to_owned());
        if visited.contains(&sought) {
            return None;
        }
        visited.push(sought);
        let found = self.find_new(id, name, visited);
        visited.pop();
        found
    }

    /// The same, not minding names that are being looked for already.
    fn find_new(&self, id: ModuleId, name: &str, visited: &mut Visited) -> Option<Target> {
        let module = self.module(id);
        if let Some(child) = module.children.get(name) {
            return Some(Target::Module(*child));
        }
        if module.items.contains(name) {
            return Some(Target::Item(id, name.to_owned()));
        }
        let uses = &module.paths.uses;
        if let Some(import) = uses.iter().find(|import| import.name.as_deref() == Some(name)) {
            return self.follow(id, &import.path, visited);
        }
        let mut globs = uses.iter().filter(|import| import.name.is_none());
        globs.find_map(|glob| match self.follow(id, &glob.path, visited)? {
            Target::Module(module) => self.find(module, name, visited),
            Target::Item(..) => None,
        })
    }

    fn module(&self, id: ModuleId) -> &Module {
        &self.0[id]
    }
}
