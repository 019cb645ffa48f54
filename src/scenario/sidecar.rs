//! Containers that something injects into pods, such as a service mesh.

use super::decode::{Ctx, Keyed, OneOrMany, Spanned};
use super::diagnostic::Span;
use super::leaf::Text;
use super::record::record;
use super::workload::Usage;
use crate::units::{Bytes, MilliCpu};

record! {
    /// A container that is injected into pods beside their own. DaemonSets get none.
    pub struct Sidecar {
        /// Which pods get it: those of one of these rules; all unless stated.
        "match" => rules: Option<OneOrMany<Spanned<SidecarMatch>>>,
        /// What it requests, in addition to the pod's own requests.
        "requests" => requests: Spanned<SidecarRequests>,
        /// What it really uses; unknown unless stated.
        "usage" => usage: Option<Usage>,
    }
    check check_sidecar;
}

fn check_sidecar(it: &Sidecar, _: Span, ctx: &mut Ctx<'_>) -> bool {
    let requests = &it.requests;
    if requests.value.cpu.is_none() && requests.value.memory.is_none() {
        ctx.diags()
            .error(requests.span, "a sidecar that requests nothing changes nothing")
            .help("state `cpu`, `memory` or both");
        return false;
    }
    true
}

record! {
    /// What a sidecar requests.
    pub struct SidecarRequests {
        /// Processor time.
        "cpu" => cpu: Option<Spanned<MilliCpu>>,
        /// Memory.
        "memory" => memory: Option<Spanned<Bytes>>,
    }
}

record! {
    /// A rule of the pods that get a sidecar: all that is stated must hold.
    pub struct SidecarMatch {
        /// Namespace; `*` and `?` are wildcards.
        "namespace" => namespace: Option<Spanned<String>>,
        /// Labels that the pods must have; `*` and `?` are wildcards.
        "labels" => labels: Keyed<Spanned<Text>> = Keyed::default(),
        /// Workload.
        "workload" => workload: Option<Spanned<String>>,
    }
}
