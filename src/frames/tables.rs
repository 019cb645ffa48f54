//! Result tables as Parquet: pods, nodes, timeline, bill lines.
//!
//! Times are milliseconds since the start of the run (`…_ms`, Int64), null
//! where something never happened; hours are Unix milliseconds. Money is
//! exact in `…_pico_usd` (Int64) and rounded in `…_usd` (Float64). Names are
//! dictionary-encoded strings. Rows follow the record's order.
//!
//! The same record gives the same bytes: fixed compression and row groups,
//! columns encoded one after the other on the caller's thread, so that the size
//! of polars' thread pool plays no part. (The process sets `POLARS_MAX_THREADS`
//! before the first table to keep idle threads away.) A row group is built, written and dropped: memory stays at some 20 MB
//! however many rows there are.
//!
//! Cost at 2.5 GHz: 0.25–0.3 CPU-s per million pods (20 bytes each), 0.3 per
//! million bill lines, half of it in building dictionaries. Snappy takes half
//! the time of Zstd and every reader knows it; column statistics would add a
//! tenth and serve nobody at these sizes.

use std::io::Write;
use std::ops::Range;

use polars::prelude::{
    Column, DataFrame, IdxCa, Int64Chunked, IntoColumn as _, IntoSeries as _, NamedFrom as _,
    NewChunkedArray as _, ParquetCompression, ParquetWriter, PlSmallStr, PolarsResult, Series,
    StatisticsOptions, StringChunked, UInt32Chunked,
};

use crate::bill::{Bill, Resource};
use crate::cluster::{ClusterSpec, Purchase};
use crate::observe::{NodeEnd, Place, PodEnd, Record, TimelinePoint};
use crate::units::{HOUR_MS, Money, SimTime};
use crate::workload::Workloads;
use crate::{Error, Result};

/// Rows built and written at once.
const GROUP_ROWS: usize = 1 << 18;

/// Writes a table row group by row group.
pub(super) fn write(
    name: &str,
    rows: usize,
    out: impl Write,
    columns: impl Fn(Range<usize>) -> PolarsResult<Vec<Column>>,
) -> Result<()> {
    write_groups(name, rows, GROUP_ROWS, out, columns)
}

/// As [`write`], with this many rows in a group.
pub(super) fn write_groups(
    name: &str,
    rows: usize,
    group: usize,
    out: impl Write,
    columns: impl Fn(Range<usize>) -> PolarsResult<Vec<Column>>,
) -> Result<()> {
    let written = || -> PolarsResult<()> {
        // An empty table has its columns too.
        let first = DataFrame::new_infer_height(columns(0..rows.min(group))?)?;
        let mut writer = ParquetWriter::new(out)
            .with_compression(ParquetCompression::Snappy)
            .with_statistics(StatisticsOptions::empty())
            .set_parallel(false)
            .batched(first.schema())?;
        writer.write_batch(&first)?;
        drop(first);
        let mut at = group;
        while at < rows {
            let range = at..rows.min(at + group);
            at = range.end;
            writer.write_batch(&DataFrame::new_infer_height(columns(range)?)?)?;
        }
        writer.finish()?;
        Ok(())
    };
    written().map_err(|e| Error::failed(format!("cannot write {name}: {e}")))
}

fn i64s(name: &str, values: impl Iterator<Item = i64>) -> Column {
    Int64Chunked::from_vec(PlSmallStr::from_str(name), values.collect()).into_column()
}

/// Times; `NEVER` becomes null.
fn times(name: &str, values: impl Iterator<Item = SimTime>) -> Column {
    let values = values.map(|t| (t != SimTime::NEVER).then_some(t.ms()));
    Int64Chunked::from_iter_options(PlSmallStr::from_str(name), values).into_column()
}

pub(super) fn f64s(name: &str, values: impl Iterator<Item = f64>) -> Column {
    Series::new(PlSmallStr::from_str(name), values.collect::<Vec<f64>>()).into_column()
}

pub(super) fn u32s(name: &str, values: impl Iterator<Item = u32>) -> Column {
    UInt32Chunked::from_vec(PlSmallStr::from_str(name), values.collect()).into_column()
}

fn maybe_u32s(name: &str, values: impl Iterator<Item = Option<u32>>) -> Column {
    UInt32Chunked::from_iter_options(PlSmallStr::from_str(name), values).into_column()
}

/// A few names, many rows: rows share the text.
pub(super) struct Names(Series);

impl Names {
    pub(super) fn new<'a>(names: impl Iterator<Item = &'a str>) -> Names {
        Names(StringChunked::from_iter_values(PlSmallStr::EMPTY, names).into_series())
    }

    /// As [`Names::new`], where some are null.
    pub(super) fn maybe<'a>(names: impl Iterator<Item = Option<&'a str>>) -> Names {
        Names(StringChunked::from_iter_options(PlSmallStr::EMPTY, names).into_series())
    }

    /// The names of these ids.
    pub(super) fn column(
        &self,
        name: &str,
        ids: impl Iterator<Item = u32>,
    ) -> PolarsResult<Column> {
        let ids = IdxCa::from_vec(PlSmallStr::EMPTY, ids.collect());
        Ok(self.0.take(&ids)?.with_name(PlSmallStr::from_str(name)).into_column())
    }
}

/// `pods.parquet`: one row per pod instance, in order of submission.
///
/// | column | type | meaning |
/// | --- | --- | --- |
/// | `workload`, `namespace` | String | whose pod |
/// | `submitted_ms`, `bound_ms`, `running_ms`, `ended_ms` | Int64 | null where it never was; still there: the end of the run |
/// | `end` | String | `finished`, `running`, `starting`, `pending`, `evicted`, `interrupted`, `rejected` |
/// | `node` | UInt32 | row of `nodes.parquet`; null elsewhere |
/// | `fargate` | UInt32 | ordinal of the Fargate pod, as in `bill.parquet`; null elsewhere |
///
/// # Errors
/// Where it cannot be written.
pub fn write_pods(record: &Record, workloads: &Workloads, out: impl Write) -> Result<()> {
    let templates = &workloads.templates;
    let workload_names = Names::new(workloads.workloads.iter().map(|w| w.name.as_str()));
    let namespaces = Names::new(workloads.namespaces.iter().map(String::as_str));
    let ends = Names::new(POD_ENDS.into_iter().map(PodEnd::name));
    write("pods.parquet", record.pods.len(), out, |rows| {
        let pods = &record.pods[rows];
        // An id without a template is out of every table and refused there.
        let template = |id: usize| templates.get(id);
        Ok(vec![
            workload_names.column(
                "workload",
                pods.iter()
                    .map(|p| template(p.template.index()).map_or(u32::MAX, |t| t.workload.0)),
            )?,
            namespaces.column(
                "namespace",
                pods.iter()
                    .map(|p| template(p.template.index()).map_or(u32::MAX, |t| t.namespace.0)),
            )?,
            times("submitted_ms", pods.iter().map(|p| p.submitted)),
            times("bound_ms", pods.iter().map(|p| p.bound)),
            times("running_ms", pods.iter().map(|p| p.running)),
            times("ended_ms", pods.iter().map(|p| p.ended)),
            ends.column("end", pods.iter().map(|p| p.end as u32))?,
            maybe_u32s(
                "node",
                pods.iter().map(|p| match p.place {
                    Place::Node(n) => Some(n),
                    Place::Fargate(_) | Place::Nowhere => None,
                }),
            ),
            maybe_u32s(
                "fargate",
                pods.iter().map(|p| match p.place {
                    Place::Fargate(f) => Some(f),
                    Place::Node(_) | Place::Nowhere => None,
                }),
            ),
        ])
    })
}

/// In the order of the variants, so that `as u32` is an index.
const POD_ENDS: [PodEnd; 7] = [
    PodEnd::Finished,
    PodEnd::Running,
    PodEnd::Starting,
    PodEnd::Pending,
    PodEnd::Evicted,
    PodEnd::Interrupted,
    PodEnd::Rejected,
];

/// `nodes.parquet`: one row per node that ever was asked for, in launch order.
///
/// | column | type | meaning |
/// | --- | --- | --- |
/// | `node` | UInt32 | its ordinal |
/// | `pool`, `type`, `zone` | String | what and where |
/// | `purchase` | String | `on-demand`, `spot` |
/// | `requested_ms`, `running_ms`, `ready_ms`, `draining_ms`, `shutting_down_ms` | Int64 | its life; metered from running to shutting down |
/// | `end` | String | `running`, `scaled-down`, `reclaimed` |
/// | `net_pico_usd`, `net_usd` | Int64, Float64 | its lines of the bill, after commitments; null where the bill was kept without lines |
///
/// # Errors
/// Where it cannot be written.
pub fn write_nodes(
    record: &Record,
    cluster: &ClusterSpec,
    bill: &Bill,
    out: impl Write,
) -> Result<()> {
    let pools = Names::new(cluster.pools.iter().map(|p| p.name.as_str()));
    let shapes = Names::new(cluster.shapes.iter().map(|s| s.name.as_str()));
    let zones = Names::new(cluster.zones.iter().map(String::as_str));
    let purchases =
        Names::new([Purchase::OnDemand, Purchase::Spot].into_iter().map(Purchase::name));
    let ends = [NodeEnd::Running, NodeEnd::ScaledDown, NodeEnd::Reclaimed];
    let ends = Names::new(ends.into_iter().map(NodeEnd::name));
    let mut net: Vec<Option<Money>> = Vec::new();
    if !bill.lines.is_empty() || bill.total == Money::ZERO {
        net.resize(record.nodes.len(), Some(Money::ZERO));
        for (resource, pico) in bill.lines.resource.iter().zip(&bill.lines.net) {
            if let Resource::Node(n) = bill.resource(*resource)
                && let Some(Some(sum)) = net.get_mut(n as usize)
            {
                *sum += Money::from_pico(i128::from(*pico));
            }
        }
    } else {
        net.resize(record.nodes.len(), None);
    }
    write("nodes.parquet", record.nodes.len(), out, |rows| {
        let nodes = &record.nodes[rows.clone()];
        let net = &net[rows.clone()];
        let pico = net.iter().map(|m| m.and_then(|m| i64::try_from(m.pico()).ok()));
        let usd: Vec<Option<f64>> = net.iter().map(|m| m.map(Money::to_f64)).collect();
        Ok(vec![
            u32s("node", rows.map(|r| r as u32)),
            pools.column("pool", nodes.iter().map(|n| n.pool.0))?,
            shapes.column("type", nodes.iter().map(|n| n.shape.0))?,
            zones.column("zone", nodes.iter().map(|n| n.zone.0))?,
            purchases.column("purchase", nodes.iter().map(|n| n.purchase as u32))?,
            times("requested_ms", nodes.iter().map(|n| n.requested)),
            times("running_ms", nodes.iter().map(|n| n.running)),
            times("ready_ms", nodes.iter().map(|n| n.ready)),
            times("draining_ms", nodes.iter().map(|n| n.draining)),
            times("shutting_down_ms", nodes.iter().map(|n| n.shutting_down)),
            ends.column("end", nodes.iter().map(|n| n.end as u32))?,
            Int64Chunked::from_iter_options(PlSmallStr::from_static("net_pico_usd"), pico)
                .into_column(),
            Series::new(PlSmallStr::from_static("net_usd"), usd).into_column(),
        ])
    })
}

/// `timeline.parquet`: time-weighted means over equal steps.
///
/// | column | type | meaning |
/// | --- | --- | --- |
/// | `at_ms` | Int64 | start of the step |
/// | `pending`, `running` | Float64 | pods unbound, pods running |
/// | `cpu_allocatable`, `cpu_requested`, `cpu_used` | Float64 | milli-cores, of Ready nodes and Fargate sizes |
/// | `memory_allocatable`, `memory_requested`, `memory_used` | Float64 | bytes |
/// | `fargate` | Float64 | Fargate pods billed |
///
/// # Errors
/// Where it cannot be written.
pub fn write_timeline(record: &Record, out: impl Write) -> Result<()> {
    type Field = fn(&TimelinePoint) -> f64;
    const FIELDS: [(&str, Field); 9] = [
        ("pending", |p| p.pending),
        ("running", |p| p.running),
        ("cpu_allocatable", |p| p.cpu_allocatable),
        ("cpu_requested", |p| p.cpu_requested),
        ("cpu_used", |p| p.cpu_used),
        ("memory_allocatable", |p| p.memory_allocatable),
        ("memory_requested", |p| p.memory_requested),
        ("memory_used", |p| p.memory_used),
        ("fargate", |p| p.fargate),
    ];
    write("timeline.parquet", record.timeline.len(), out, |rows| {
        let points = &record.timeline[rows];
        let mut columns = vec![i64s("at_ms", points.iter().map(|p| p.at.ms()))];
        columns.extend(FIELDS.iter().map(|(name, field)| f64s(name, points.iter().map(field))));
        Ok(columns)
    })
}

/// `bill.parquet`: every line of the bill.
///
/// | column | type | meaning |
/// | --- | --- | --- |
/// | `resource` | String | `node`, `fargate`, `cluster`, `commitment` |
/// | `ordinal` | UInt32 | which: row of `nodes.parquet`, or as in `pods.parquet`; 0 for the cluster |
/// | `sku` | String | row of the price list |
/// | `charge`, `purchase`, `price_status` | String | the groups of `summary.json` |
/// | `hour_unix_ms` | Int64 | start of the clock hour (UTC) |
/// | `quantity`, `unit` | Float64, String | in the unit of the price |
/// | `list_pico_usd` | Int64 | before commitments |
/// | `net_pico_usd`, `net_usd` | Int64, Float64 | what it costs |
/// | `on_demand_pico_usd` | Int64 | had it been bought On-Demand |
/// | `cash_pico_usd` | Int64 | what is paid in the window: payments of commitments instead of what they cover |
///
/// # Errors
/// Where it cannot be written.
pub fn write_bill(bill: &Bill, out: impl Write) -> Result<()> {
    let lines = &bill.lines;
    let kinds = Names::new(["node", "fargate", "cluster", "commitment"].into_iter());
    let skus = Names::new(bill.skus.iter().map(|s| s.name.as_str()));
    let charges = Names::new(bill.skus.iter().map(|s| s.charge.name()));
    let purchases = Names::new(bill.skus.iter().map(|s| s.purchase.name()));
    let statuses = Names::new(bill.skus.iter().map(|s| s.status.name()));
    let units = Names::new(bill.skus.iter().map(|s| s.unit.name()));
    let kind = |id: &u32| match bill.resource(*id) {
        Resource::Node(n) => (0, n),
        Resource::Fargate(f) => (1, f),
        Resource::Cluster => (2, 0),
        Resource::Commitment(c) => (3, c),
    };
    write("bill.parquet", lines.len(), out, |rows| {
        let resource = &lines.resource[rows.clone()];
        let sku = &lines.sku[rows.clone()];
        let of_sku = |names: &Names, name| names.column(name, sku.iter().map(|s| u32::from(*s)));
        let quantity = lines.quantity[rows.clone()].iter().zip(sku).map(|(q, sku)| {
            let per = bill.skus.get(usize::from(*sku)).map_or(1, |s| s.unit.per());
            *q as f64 / per as f64
        });
        let net = &lines.net[rows.clone()];
        Ok(vec![
            kinds.column("resource", resource.iter().map(|r| kind(r).0))?,
            u32s("ordinal", resource.iter().map(|r| kind(r).1)),
            of_sku(&skus, "sku")?,
            of_sku(&charges, "charge")?,
            of_sku(&purchases, "purchase")?,
            of_sku(&statuses, "price_status")?,
            i64s("hour_unix_ms", lines.hour[rows.clone()].iter().map(|h| i64::from(*h) * HOUR_MS)),
            f64s("quantity", quantity),
            of_sku(&units, "unit")?,
            i64s("list_pico_usd", lines.list[rows.clone()].iter().copied()),
            i64s("net_pico_usd", net.iter().copied()),
            f64s("net_usd", net.iter().map(|n| Money::from_pico(i128::from(*n)).to_f64())),
            i64s("on_demand_pico_usd", lines.on_demand[rows.clone()].iter().copied()),
            i64s("cash_pico_usd", rows.map(|line| bill.line_cash(line))),
        ])
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bill::{Charge, Lines, PriceStatus, PurchaseOption, Sku, Unit};
    use crate::cluster::{Capacity, NodeShape, PoolId, PoolKind, PoolSpec, ShapeId, ZoneId};
    use crate::observe::{NodeRecord, PodRecord};
    use crate::rng::Distribution;
    use crate::units::{Bytes, Rate};
    use crate::workload::{
        ClassId, NamespaceId, OnInterrupt, PodTemplate, TemplateId, WorkloadId, WorkloadInfo,
        WorkloadKind,
    };
    use polars::prelude::{ParquetReader, SerReader as _};

    fn read(bytes: &[u8]) -> DataFrame {
        ParquetReader::new(std::io::Cursor::new(bytes)).finish().expect("parquet")
    }

    /// A column as text, `-` for null.
    fn column(df: &DataFrame, name: &str) -> Vec<String> {
        let series = df.column(name).expect("column").as_materialized_series().clone();
        series
            .iter()
            .map(|v| if v.is_null() { "-".to_owned() } else { v.to_string().replace('"', "") })
            .collect()
    }

    fn workloads() -> Workloads {
        let template = |workload, namespace| PodTemplate {
            class: ClassId(0),
            workload: WorkloadId(workload),
            namespace: NamespaceId(namespace),
            on_interrupt: OnInterrupt::Restart,
            startup: Distribution::Constant(0.0),
            life: crate::workload::PodLife::default(),
        };
        let info = |name: &str| WorkloadInfo { name: name.to_owned(), kind: WorkloadKind::Batch };
        Workloads {
            workloads: vec![info("a workload with a long name"), info("b")],
            namespaces: vec!["default".to_owned(), "prod".to_owned()],
            templates: vec![template(1, 0), template(0, 1)],
            ..Workloads::default()
        }
    }

    fn pod(template: u32, submitted: i64, place: Place, end: PodEnd) -> PodRecord {
        PodRecord {
            template: TemplateId(template),
            submitted: SimTime(submitted),
            bound: if place == Place::Nowhere { SimTime::NEVER } else { SimTime(submitted + 5) },
            running: SimTime::NEVER,
            ended: SimTime(99),
            place,
            end,
        }
    }

    #[test]
    fn pods_come_back_with_names_and_nulls() {
        let record = Record {
            pods: vec![
                pod(0, 1, Place::Node(4), PodEnd::Finished),
                pod(1, 2, Place::Fargate(7), PodEnd::Interrupted),
                pod(1, 3, Place::Nowhere, PodEnd::Rejected),
            ],
            ..Record::default()
        };
        let mut out = Vec::new();
        write_pods(&record, &workloads(), &mut out).expect("written");
        let df = read(&out);
        let long = "a workload with a long name";
        assert_eq!(column(&df, "workload"), ["b", long, long]);
        assert_eq!(column(&df, "namespace"), ["default", "prod", "prod"]);
        assert_eq!(column(&df, "bound_ms"), ["6", "7", "-"]);
        assert_eq!(column(&df, "running_ms"), ["-", "-", "-"]);
        assert_eq!(column(&df, "end"), ["finished", "interrupted", "rejected"]);
        assert_eq!(column(&df, "node"), ["4", "-", "-"]);
        assert_eq!(column(&df, "fargate"), ["-", "7", "-"]);
        // A template that does not exist is refused, not a panic.
        let record =
            Record { pods: vec![pod(9, 1, Place::Nowhere, PodEnd::Pending)], ..Record::default() };
        assert!(write_pods(&record, &workloads(), Vec::new()).is_err());
    }

    #[test]
    fn ends_are_indexed_by_their_variant() {
        for (i, end) in POD_ENDS.into_iter().enumerate() {
            assert_eq!(end as usize, i);
        }
        assert_eq!((NodeEnd::ScaledDown as u32, Purchase::Spot as u32), (1, 1));
        assert_eq!(NodeEnd::Reclaimed as u32, 2);
    }

    #[test]
    fn row_groups_join_and_bytes_repeat() {
        let pods = (0..GROUP_ROWS as i64 + 3)
            .map(|i| pod((i % 2) as u32, i, Place::Node(0), PodEnd::Running))
            .collect();
        let record = Record { pods, ..Record::default() };
        let once = || {
            let mut out = Vec::new();
            write_pods(&record, &workloads(), &mut out).expect("written");
            out
        };
        let bytes = once();
        assert_eq!(bytes, once());
        let df = read(&bytes);
        assert_eq!(df.height(), GROUP_ROWS + 3);
        let last = GROUP_ROWS + 2;
        assert_eq!(column(&df, "submitted_ms")[last], last.to_string());
        // The second row group begins with an even row.
        assert_eq!(column(&df, "workload")[GROUP_ROWS], "b");
    }

    fn bill() -> Bill {
        let sku = |name: &str, charge, purchase, unit| Sku {
            name: name.to_owned(),
            charge,
            purchase,
            status: PriceStatus::Real,
            unit,
            rate: Rate::ZERO,
            contract: None,
            commitment: None,
            of: None,
        };
        Bill {
            total: Money::from_pico(3_500_000_000_000),
            skus: vec![
                sku("m5.large", Charge::Instance, PurchaseOption::OnDemand, Unit::Hours),
                sku("control plane", Charge::ControlPlane, PurchaseOption::Other, Unit::Hours),
            ],
            node_count: 2,
            fargate_count: 1,
            lines: Lines {
                resource: vec![1, 1, 3],
                sku: vec![0, 0, 1],
                hour: vec![482_000, 482_001, 482_000],
                quantity: vec![HOUR_MS / 2, HOUR_MS, HOUR_MS],
                list: vec![1_000_000_000_000, 2_000_000_000_000, 500_000_000_000],
                net: vec![1_000_000_000_000, 2_000_000_000_000, 500_000_000_000],
                on_demand: vec![1, 2, 3],
            },
            ..Bill::default()
        }
    }

    #[test]
    fn bill_lines_come_back() {
        let mut out = Vec::new();
        write_bill(&bill(), &mut out).expect("written");
        let df = read(&out);
        assert_eq!(column(&df, "resource"), ["node", "node", "cluster"]);
        assert_eq!(column(&df, "ordinal"), ["1", "1", "0"]);
        assert_eq!(column(&df, "charge"), ["instance", "instance", "control-plane"]);
        assert_eq!(column(&df, "quantity"), ["0.5", "1.0", "1.0"]);
        assert_eq!(column(&df, "hour_unix_ms")[1], (482_001 * HOUR_MS).to_string());
        let pico: i64 =
            column(&df, "net_pico_usd").iter().map(|v| v.parse::<i64>().expect("pico")).sum();
        assert_eq!(i128::from(pico), bill().total.pico());
        assert_eq!(column(&df, "net_usd"), ["1.0", "2.0", "0.5"]);
    }

    #[test]
    fn nodes_carry_their_lines() {
        let node = |end| NodeRecord {
            pool: PoolId(0),
            shape: ShapeId(0),
            zone: ZoneId(0),
            purchase: Purchase::Spot,
            requested: SimTime(0),
            running: SimTime(10),
            ready: SimTime::NEVER,
            draining: SimTime::NEVER,
            shutting_down: SimTime(50),
            end,
        };
        let cluster = ClusterSpec {
            members: Vec::new(),
            shapes: vec![NodeShape {
                name: "m5.large".to_owned(),
                capacity: Capacity::default(),
                allocatable: Capacity::default(),
                nominal_memory: Bytes(0),
            }],
            zones: vec!["us-east-1a".to_owned()],
            pools: vec![PoolSpec {
                name: "general".to_owned(),
                kind: PoolKind::Fixed { count: 1 },
                offers: Vec::new(),
                on_demand_base: 0,
                on_demand_percentage_above_base: 0,
                spot_allocation: crate::cluster::SpotAllocation::default(),
                labels: Vec::new(),
                taints: Vec::new(),
                launch: Distribution::Constant(0.0),
                ready: Distribution::Constant(0.0),
            }],
            fargate: Vec::new(),
            spot_pools: Vec::new(),
        };
        let record = Record {
            nodes: vec![node(NodeEnd::Reclaimed), node(NodeEnd::Running)],
            ..Record::default()
        };
        let mut out = Vec::new();
        write_nodes(&record, &cluster, &bill(), &mut out).expect("written");
        let df = read(&out);
        assert_eq!(column(&df, "pool"), ["general", "general"]);
        assert_eq!(column(&df, "purchase"), ["spot", "spot"]);
        assert_eq!(column(&df, "end"), ["reclaimed", "running"]);
        assert_eq!(column(&df, "ready_ms"), ["-", "-"]);
        assert_eq!(column(&df, "net_usd"), ["0.0", "3.0"]);
        // Without lines there is no cost per node.
        let sums = Bill { lines: Lines::default(), ..bill() };
        let mut out = Vec::new();
        write_nodes(&record, &cluster, &sums, &mut out).expect("written");
        assert_eq!(column(&read(&out), "net_pico_usd"), ["-", "-"]);
    }

    #[test]
    fn an_empty_timeline_has_its_columns() {
        let mut out = Vec::new();
        write_timeline(&Record::default(), &mut out).expect("written");
        let df = read(&out);
        assert_eq!((df.height(), df.width()), (0, 10));
        let record = Record {
            timeline: vec![TimelinePoint {
                at: SimTime(60),
                pending: 1.5,
                ..TimelinePoint::default()
            }],
            ..Record::default()
        };
        let mut out = Vec::new();
        write_timeline(&record, &mut out).expect("written");
        assert_eq!(column(&read(&out), "pending"), ["1.5"]);
    }
}
