//! What a plan would be.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::date::BusinessDate;
use crate::money::Cents;
use crate::plan::Installment;

/// What a plan would be; nothing is recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Plan {
    /// `amount + fee`.
    pub total: Cents,
    /// The date of the advance.
    pub start_date: BusinessDate,
    /// What would be due when.
    pub installments: Vec<Installment>,
}
