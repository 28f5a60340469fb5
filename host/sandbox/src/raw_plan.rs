//! A plan as a guest gave it, before it was checked.

use serde::{Deserialize, Serialize};

use crate::bindings::exports::loader::plugin::transform;

/// A plan as the guest gave it.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct RawPlan {
    inputs: Vec<u32>,
    schema: Vec<u8>,
    outputs: Vec<RawExpr>,
    state: Vec<u8>,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
enum RawExpr {
    Passthrough(u32),
    Cast(u32),
    Literal(Vec<u8>),
    HostValue(String),
    Computed(u32),
}

impl RawPlan {
    pub(crate) fn of(plan: &transform::Plan) -> RawPlan {
        let transform::Plan { inputs, schema, outputs, state } = plan.clone();
        let outputs = outputs.into_iter().map(|output| match output {
            transform::Expr::Passthrough(index) => RawExpr::Passthrough(index),
            transform::Expr::Cast(index) => RawExpr::Cast(index),
            transform::Expr::Literal(bytes) => RawExpr::Literal(bytes),
            transform::Expr::HostValue(key) => RawExpr::HostValue(key),
            transform::Expr::Computed(index) => RawExpr::Computed(index),
        });
        RawPlan { inputs, schema, outputs: outputs.collect(), state }
    }

    pub(crate) fn into_plan(self) -> transform::Plan {
        let RawPlan { inputs, schema, outputs, state } = self;
        let outputs = outputs.into_iter().map(|output| match output {
            RawExpr::Passthrough(index) => transform::Expr::Passthrough(index),
            RawExpr::Cast(index) => transform::Expr::Cast(index),
            RawExpr::Literal(bytes) => transform::Expr::Literal(bytes),
            RawExpr::HostValue(key) => transform::Expr::HostValue(key),
            RawExpr::Computed(index) => transform::Expr::Computed(index),
        });
        transform::Plan { inputs, schema, outputs: outputs.collect(), state }
    }
}
