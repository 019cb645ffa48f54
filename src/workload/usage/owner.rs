//! Whose a pod is, by its name alone, where a source does not say.
//!
//! Controllers name their pods after themselves:
//!
//! | pod | owner | why |
//! | --- | --- | --- |
//! | `web-6cb6dfb9d4-tksts` | Deployment `web` | 7 to 10 characters of a template hash, then 5 drawn ones |
//! | `backup-27981390-lbdct` | CronJob `backup` | the minute of the schedule in 8 to 10 digits, then 5 drawn ones |
//! | `agent-k2btc` | DaemonSet, Job or similar `agent` | 5 drawn characters |
//! | `db-0` | StatefulSet `db` | its ordinal, at most 5 digits without leading zero |
//! | `etcd-NODE` | static pod `etcd` | ends in the name of its node |
//! | anything else | itself | a bare pod |
//!
//! Hashes and drawn characters come from an alphabet without vowels, so that
//! words are rarely mistaken for them (kubernetes
//! `apimachinery/pkg/util/rand`, `SafeEncodeString` and `String`, 1.31; the
//! pod name of a `ReplicaSet` in `pkg/registry/core/pod`, of a `CronJob`'s Job
//! in `pkg/controller/cronjob`).

/// What names its pods how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OwnerKind {
    /// A Deployment, through a `ReplicaSet`.
    Deployment,
    /// A `StatefulSet`.
    StatefulSet,
    /// A `DaemonSet`; only labels tell.
    DaemonSet,
    /// A Job of no `CronJob`; only labels tell.
    Job,
    /// A `CronJob`, through a Job.
    CronJob,
    /// Whatever draws five characters: `DaemonSet`, Job, `ReplicaSet`, an operator.
    Generated,
    /// A static pod of a node.
    Static,
    /// None: the pod stands for itself.
    Bare,
}

/// Letters and digits of drawn names.
const SAFE: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";

fn is_safe(text: &str, lengths: std::ops::RangeInclusive<usize>) -> bool {
    lengths.contains(&text.len()) && text.bytes().all(|b| SAFE.contains(&b))
}

fn is_digits(text: &str, lengths: std::ops::RangeInclusive<usize>) -> bool {
    lengths.contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit())
}

/// The Deployment of a `ReplicaSet`, by the hash in its name; without one the
/// `ReplicaSet` itself.
#[must_use]
pub fn deployment_of(replica_set: &str) -> &str {
    match replica_set.rsplit_once('-') {
        Some((name, hash)) if !name.is_empty() && is_safe(hash, 7..=10) => name,
        _ => replica_set,
    }
}

/// The name of a pod's owner and its kind; `node` is where the pod runs, or
/// empty.
#[must_use]
pub fn owner_of<'a>(pod: &'a str, node: &str) -> (&'a str, OwnerKind) {
    let of_node =
        |end: &str| (!end.is_empty()).then(|| pod.strip_suffix(end)?.strip_suffix('-')).flatten();
    // A node is named in full or by its host name alone.
    let host = node.split('.').next().unwrap_or_default();
    if let Some(name) = of_node(node).or_else(|| of_node(host)).filter(|n| !n.is_empty()) {
        return (name, OwnerKind::Static);
    }
    let Some((rest, last)) = pod.rsplit_once('-').filter(|(rest, _)| !rest.is_empty()) else {
        return (pod, OwnerKind::Bare);
    };
    if is_safe(last, 5..=5) {
        return match rest.rsplit_once('-').filter(|(name, _)| !name.is_empty()) {
            Some((name, minute)) if is_digits(minute, 8..=10) => (name, OwnerKind::CronJob),
            Some((name, hash)) if is_safe(hash, 7..=10) => (name, OwnerKind::Deployment),
            _ => (rest, OwnerKind::Generated),
        };
    }
    if is_digits(last, 1..=5) && (last == "0" || !last.starts_with('0')) {
        return (rest, OwnerKind::StatefulSet);
    }
    (pod, OwnerKind::Bare)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_owners() {
        use OwnerKind::*;
        for (pod, node, owner, kind) in [
            ("router-default-6cb6dfb9d4-tksts", "", "router-default", Deployment),
            ("collect-profiles-27981390-lbdct", "", "collect-profiles", CronJob),
            ("node-resolver-fngb5", "", "node-resolver", Generated),
            ("eap-app-9-4q2wz", "", "eap-app-9", Generated),
            ("prometheus-k8s-0", "", "prometheus-k8s", StatefulSet),
            ("alertmanager-main-12", "", "alertmanager-main", StatefulSet),
            ("etcd-ip-10-0-1-2.ec2.internal", "ip-10-0-1-2.ec2.internal", "etcd", Static),
            ("etcd-ip-10-0-1-2", "ip-10-0-1-2.ec2.internal", "etcd", Static),
            ("volume-shell", "", "volume-shell", Bare),
            ("web-007", "", "web-007", Bare),
            ("web-1234567", "", "web-1234567", Bare),
            ("web", "web", "web", Bare),
            ("-tksts", "", "-tksts", Bare),
            ("", "", "", Bare),
        ] {
            assert_eq!(owner_of(pod, node), (owner, kind), "{pod}");
        }
        assert_eq!(deployment_of("web-6cb6dfb9d4"), "web");
        assert_eq!(deployment_of("web-999"), "web-999");
    }
}
