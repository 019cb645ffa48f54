//! How many nodes and pods there are, and how big: the autoscalers. Each is
//! decision logic over what it is shown; `world` runs the loops and carries
//! decisions out. Knows no reports and no bills.

pub mod cluster_autoscaler;
pub mod ecs_capacity;
