//! What the code of one module names: its `use` lines, and the paths in its items, those in macro
//! calls and attributes included. Not in comments and strings, and not in tests.

use std::collections::BTreeSet;

use syn::buffer::{Cursor, TokenBuffer};
use syn::ext::IdentExt;
use syn::visit::{self, Visit};
use syn::{
    Attribute, Expr, ExprCall, ImplItemFn, Item, ItemUse, Macro, Meta, MetaList, Path, UseTree,
    Visibility,
};

/// One name of a `use` line. `pub use a::{b::C as D}` has the path `a::b::C` and the name `D`.
pub(super) struct Use {
    pub(super) path: Vec<String>,
    /// What the module calls it; `None` for `*`, which brings all names of the path.
    pub(super) name: Option<String>,
    /// A `pub use`, with any visibility: it hands the name on to other modules.
    pub(super) is_export: bool,
}

#[derive(Default)]
pub(super) struct Paths {
    pub(super) uses: Vec<Use>,
    /// Paths in code, `["crate", "a", "f"]` for `crate::a::f()`. Single names are among them where
    /// they can be a type, a constant or the function of a call.
    pub(super) in_code: BTreeSet<Vec<String>>,
}

impl Paths {
    /// The paths of these items, without the modules among them.
    pub(super) fn of(items: &[Item]) -> Paths {
        let mut paths = Paths::default();
        items.iter().for_each(|item| paths.visit_item(item));
        paths
    }

    fn take_use(&mut self, item: &ItemUse) {
        // A leading `::` names another crate.
        if item.leading_colon.is_none() {
            let is_export = !matches!(item.vis, Visibility::Inherited);
            self.take_tree(&item.tree, Vec::new(), is_export);
        }
    }

    fn take_tree(&mut self, tree: &UseTree, mut path: Vec<String>, is_export: bool) {
        let name = match tree {
            UseTree::Path(inner) => {
                path.push(inner.ident.unraw().to_string());
                return self.take_tree(&inner.tree, path, is_export);
            }
            UseTree::Group(group) => {
                let inner = group.items.iter();
                return inner.for_each(|tree| self.take_tree(tree, path.clone(), is_export));
            }
            UseTree::Glob(_) => None,
            UseTree::Name(name) => {
                push_unless_self(&mut path, name.ident.unraw().to_string());
                path.last().cloned()
            }
            UseTree::Rename(rename) => {
                push_unless_self(&mut path, rename.ident.unraw().to_string());
                Some(rename.rename.unraw().to_string())
            }
        };
        self.uses.push(Use { path, name, is_export });
    }

    fn take_path(&mut self, path: Vec<String>, is_call: bool) {
        let looks_defined = |name: &String| is_call || name.starts_with(char::is_uppercase);
        if path.len() > 1 || path.first().is_some_and(looks_defined) {
            self.in_code.insert(path);
        }
    }

    /// Takes what looks like a path among tokens that have no grammar.
    fn take_tokens(&mut self, mut at: Cursor<'_>) {
        while !at.eof() {
            if let Some((inside, _, _, rest)) = at.any_group() {
                self.take_tokens(inside);
                at = rest;
            } else if let Some((first, rest)) = at.ident() {
                let mut path = vec![first.unraw().to_string()];
                at = rest;
                while let Some((segment, rest)) = segment(at) {
                    path.push(segment);
                    at = rest;
                }
                self.take_path(path, at.any_group().is_some());
            } else {
                at = at.token_tree().map_or(Cursor::empty(), |(_, rest)| rest);
            }
        }
    }
}

/// `use a::{self}` names `a`.
fn push_unless_self(path: &mut Vec<String>, name: String) {
    if name != "self" || path.is_empty() {
        path.push(name);
    }
}

/// The name behind `::`, when that is what comes next.
fn segment(at: Cursor<'_>) -> Option<(String, Cursor<'_>)> {
    let (first, rest) = at.punct()?;
    let (second, rest) = rest.punct()?;
    let (name, rest) = rest.ident()?;
    let is_separator = first.as_char() == ':' && second.as_char() == ':';
    is_separator.then(|| (name.unraw().to_string(), rest))
}

impl<'ast> Visit<'ast> for Paths {
    fn visit_item(&mut self, item: &'ast Item) {
        match item {
            // A module has paths of its own.
            Item::Mod(_) => {}
            Item::Use(item) if !is_test(&item.attrs) => self.take_use(item),
            item if is_test(attributes(item)) => {}
            item => visit::visit_item(self, item),
        }
    }

    fn visit_impl_item_fn(&mut self, item: &'ast ImplItemFn) {
        if !is_test(&item.attrs) {
            visit::visit_impl_item_fn(self, item);
        }
    }

    fn visit_expr_call(&mut self, call: &'ast ExprCall) {
        if let Expr::Path(function) = call.func.as_ref()
            && let Some(name) = function.path.get_ident()
        {
            self.take_path(vec![name.unraw().to_string()], true);
        }
        visit::visit_expr_call(self, call);
    }

    fn visit_path(&mut self, path: &'ast Path) {
        if path.leading_colon.is_none() {
            let names = path.segments.iter().map(|segment| segment.ident.unraw().to_string());
            self.take_path(names.collect(), false);
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast Macro) {
        self.take_tokens(TokenBuffer::new2(call.tokens.clone()).begin());
        visit::visit_macro(self, call);
    }

    fn visit_meta_list(&mut self, list: &'ast MetaList) {
        self.take_tokens(TokenBuffer::new2(list.tokens.clone()).begin());
        visit::visit_meta_list(self, list);
    }
}

/// Whether `#[cfg(test)]` stands among these.
pub(super) fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        matches!(&attribute.meta, Meta::List(list) if list.path.is_ident("cfg")
            && list.parse_args::<Path>().is_ok_and(|path| path.is_ident("test")))
    })
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::ExternCrate(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::ForeignMod(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::TraitAlias(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Union(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}
