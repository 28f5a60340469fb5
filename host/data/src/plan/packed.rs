//! What becomes of each row, on its way to another process.

use loader_csv::{DecodeAs, Header};
use loader_model::error::Result;
use loader_sandbox::{PackedChain, Plugin};
use serde::{Deserialize, Serialize};

use super::RowPlan;
use super::columns::PlannedColumn;
use crate::failures::plugin_failure;

/// A plan of rows without the plugins.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct PackedRowPlan {
    header: Header,
    decode_as: Vec<DecodeAs>,
    chain: PackedChain,
    columns: Vec<PlannedColumn>,
}

impl RowPlan {
    /// The plan without its plugins.
    pub fn pack(&self) -> PackedRowPlan {
        PackedRowPlan {
            header: self.header.clone(),
            decode_as: self.decode_as.clone(),
            chain: self.chain.pack(),
            columns: self.columns.clone(),
        }
    }
}

impl PackedRowPlan {
    /// How many columns are staged.
    pub(crate) fn columns(&self) -> usize {
        self.columns.len()
    }

    /// The plan with its plugins, whose own plans are checked again. `plugin`: gives the plugin of a
    /// digest. Errors: as of [`PackedChain::unpack`].
    pub fn unpack(self, plugin: impl Fn(&str) -> Option<Plugin>) -> Result<RowPlan> {
        let PackedRowPlan { header, decode_as, chain, columns } = self;
        let chain = chain.unpack(plugin).map_err(plugin_failure)?;
        Ok(RowPlan { header, decode_as, chain, columns })
    }
}
