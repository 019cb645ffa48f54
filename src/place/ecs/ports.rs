//! Ports of container instances that tasks in bridge or host mode take.

use crate::cluster::Slot;
use crate::workload::constraints::HostPort;
use crate::workload::{ClassId, PodClass};

/// Ports that ECS keeps for itself on every instance (ECS API,
/// `PortMapping`): SSH, the Docker ports, and the agent's.
pub const RESERVED_PORTS: [u16; 6] = [22, 2375, 2376, 51678, 51679, 51680];

/// Whether no task can have the port.
#[must_use]
pub fn is_reserved(port: &HostPort) -> bool {
    port.protocol == "TCP" && RESERVED_PORTS.contains(&port.port)
}

/// The ports that a class takes.
#[must_use]
pub fn host_ports(class: &PodClass) -> &[HostPort] {
    class.constraints.as_ref().map_or(&[], |c| &c.host_ports)
}

/// No class takes part.
const NONE: u32 = u32::MAX;

/// Which classes with ports have tasks on which instance.
#[derive(Debug, Clone, Default)]
pub(super) struct Ports {
    /// By class: its place in the other tables.
    places: Vec<u32>,
    /// By class with ports: those it cannot stand beside, itself included;
    /// `None` if it asks for a reserved port.
    conflicts: Vec<Option<Vec<u32>>>,
    /// By class with ports and slot: tasks.
    on: Vec<Vec<u32>>,
}

impl Ports {
    /// For classes whose tasks share the network of their instance.
    pub(super) fn new(classes: &[PodClass]) -> Self {
        let with: Vec<usize> =
            (0..classes.len()).filter(|c| !host_ports(&classes[*c]).is_empty()).collect();
        if with.is_empty() {
            return Ports::default();
        }
        let mut places = vec![NONE; classes.len()];
        for (place, class) in with.iter().enumerate() {
            places[*class] = place as u32;
        }
        let clash = |a: usize, b: usize| {
            let (a, b) = (host_ports(&classes[a]), host_ports(&classes[b]));
            a.iter().any(|a| b.iter().any(|b| a.conflicts(b)))
        };
        let conflicts = with
            .iter()
            .map(|a| {
                let free = !host_ports(&classes[*a]).iter().any(is_reserved);
                let others = (0..with.len() as u32).filter(|b| clash(*a, with[*b as usize]));
                free.then(|| others.collect())
            })
            .collect();
        Ports { places, conflicts, on: vec![Vec::new(); with.len()] }
    }

    /// Place of a class that takes ports.
    #[inline]
    pub(super) fn place(&self, class: ClassId) -> Option<usize> {
        self.places.get(class.index()).filter(|p| **p != NONE).map(|p| *p as usize)
    }

    /// Whether a class's ports are never free.
    pub(super) fn never(&self, class: ClassId) -> bool {
        self.place(class).is_some_and(|p| self.conflicts[p].is_none())
    }

    /// Whether the ports of a class, by its place, are free on the slot.
    pub(super) fn free(&self, place: usize, slot: usize) -> bool {
        self.conflicts[place].as_ref().is_some_and(|others| {
            others.iter().all(|o| self.on[*o as usize].get(slot).is_none_or(|n| *n == 0))
        })
    }

    pub(super) fn shift(&mut self, class: ClassId, slot: Slot, sign: i32) {
        if let Some(place) = self.place(class) {
            let on = &mut self.on[place];
            if on.len() <= slot.index() {
                on.resize(slot.index() + 1, 0);
            }
            on[slot.index()] = on[slot.index()].wrapping_add_signed(sign);
        }
    }
}
