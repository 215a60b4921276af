//! A plan that waits for approval, with buttons that mean exactly this plan.

use incident_core::model::notice::{ApprovalRequest, Notice};
use serde_json::Value;

use super::Style;
use super::kit::{actions, button, context};
use crate::intake::{APPROVE, Approval, REJECT};

/// What tells this plan from every other, and the buttons, if somebody listens to them.
pub(super) fn request(notice: &Notice, request: ApprovalRequest, style: &Style) -> Vec<Value> {
    let mut blocks = vec![context(&format!("Plan {} · digest `{}`", request.plan, request.digest.short()))];
    if style.buttons {
        let value = Approval::new(notice.incident, request).to_string();
        let digest = request.digest.short();
        let (yes, no) = (
            format!("Carry out exactly the plan with the digest {digest}?"),
            format!("Say no to the plan with the digest {digest}?"),
        );
        blocks.push(actions(&[
            button(APPROVE, "Approve", &value, Some("primary"), Some(&yes)),
            button(REJECT, "Reject", &value, Some("danger"), Some(&no)),
        ]));
    }
    blocks
}
