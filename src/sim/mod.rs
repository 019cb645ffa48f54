//! Virtual clock, event queue and engine loop, generic over the world.
//!
//! The loop merges two sources: the queue of scheduled events and the world's
//! own sorted stream (arrivals read straight from a columnar trace, so that a
//! million of them never enter the queue). Order is (time, phase, sequence);
//! equal times therefore resolve the same way on every machine.

mod queue;

pub use queue::EventQueue;

use crate::units::SimTime;

/// What the engine drives.
pub trait World {
    /// A small event.
    type Event: Copy;

    /// The time of the next element of the sorted stream, if any.
    fn stream_time(&self) -> Option<SimTime>;

    /// The phase at which stream elements sort among events of their time.
    const STREAM_PHASE: u8;

    /// Takes the next element of the stream.
    fn stream(&mut self, now: SimTime, queue: &mut EventQueue<Self::Event>);

    /// Handles one event.
    fn handle(&mut self, now: SimTime, event: Self::Event, queue: &mut EventQueue<Self::Event>);

    /// Whether the run is over; asked after each event.
    fn done(&self) -> bool;
}

/// Runs until the world says it is done or nothing is left to happen.
/// Returns the number of events handled and the time of the last one.
pub fn run<W: World>(world: &mut W, queue: &mut EventQueue<W::Event>) -> (u64, SimTime) {
    let mut events = 0u64;
    let mut now = SimTime::ZERO;
    while !world.done() {
        let from_stream = match (world.stream_time(), queue.peek()) {
            (None, None) => break,
            (Some(_), None) => true,
            (None, Some(_)) => false,
            (Some(stream), Some((time, phase))) => (stream, W::STREAM_PHASE) < (time, phase),
        };
        if from_stream {
            let time = world.stream_time().expect("just seen");
            assert!(time >= now, "the stream went back in time");
            now = time;
            world.stream(now, queue);
        } else {
            let (time, event) = queue.pop().expect("just seen");
            assert!(time >= now, "the queue went back in time");
            now = time;
            world.handle(now, event, queue);
        }
        events += 1;
    }
    (events, now)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A D/D/1 queue: arrivals every 10 ms from the stream, service 7 ms.
    struct Station {
        arrivals: std::vec::IntoIter<i64>,
        next: Option<i64>,
        log: Vec<(i64, &'static str)>,
    }

    impl World for Station {
        type Event = u8;
        const STREAM_PHASE: u8 = 1;
        fn stream_time(&self) -> Option<SimTime> {
            self.next.map(SimTime)
        }
        fn stream(&mut self, now: SimTime, queue: &mut EventQueue<u8>) {
            self.next = self.arrivals.next();
            self.log.push((now.ms(), "arrive"));
            queue.push(SimTime(now.ms() + 10), 0, 7);
        }
        fn handle(&mut self, now: SimTime, event: u8, _: &mut EventQueue<u8>) {
            assert_eq!(event, 7);
            self.log.push((now.ms(), "leave"));
        }
        fn done(&self) -> bool {
            self.log.len() == 5
        }
    }

    #[test]
    fn phases_order_events_of_one_instant() {
        let mut arrivals = vec![0, 10, 20].into_iter();
        let next = arrivals.next();
        let mut world = Station { arrivals, next, log: Vec::new() };
        let (events, now) = run(&mut world, &mut EventQueue::new());
        assert_eq!((events, now), (5, SimTime(20)));
        // Phase 0 (leave) sorts before the stream's phase 1 (arrive).
        assert_eq!(
            world.log,
            [(0, "arrive"), (10, "leave"), (10, "arrive"), (20, "leave"), (20, "arrive")]
        );
    }
}
