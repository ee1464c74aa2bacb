//! Redriving letters one after the other, at a rate, as there is room: what the thread of a redrive does.
//!
//! The mover sleeps at one place, the alarm of its [`Course`], whatever it waits for: its next slot, room in the queue, or
//! word that it is to stop. Of room it hears as a task does, by a waker that rings the alarm.
//!
//! A letter leaves the dead letters only after its job was let in, so at each moment the job is in one place, and whenever
//! the mover is stopped it has nothing in hand.

use super::course::{Course, RedriveEnd};
use super::drawers::{Absent, Leave};
use super::error::RedriveError;
use super::pace::Pace;
use super::work::Queue;
use crate::gate::Admission;
use crate::sync::{Arc, Mutex};
use crate::wait::Waiting;
use std::collections::VecDeque;
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

/// The one redrive that may run at a time.
#[derive(Default)]
pub(super) struct Moving {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// No redrive is started any more.
    closed: bool,
    running: Option<Arc<Course>>,
}

impl Moving {
    /// Stops the redrive that runs, and lets none start from here on.
    pub(super) fn close(&self) {
        let mut state = self.state.lock();
        state.closed = true;
        let running = state.running.clone();
        drop(state);
        if let Some(course) = running {
            course.stop(RedriveEnd::Closed);
        }
    }

    pub(super) fn running(&self) -> Option<Arc<Course>> {
        self.state.lock().running.clone()
    }
}

/// The place in the queue for a job that is redriven.
enum Room {
    /// The gate has let it in.
    Admitted,
    /// Jobs were put aside: it may have the place of one.
    Aside,
}

/// Why no redrive can be started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotNow {
    Running,
    Closed,
}

/// The right to move letters, for one at a time. The redrive has ended when this is dropped, by a panic as well.
pub(crate) struct Turn<T> {
    queue: Arc<Queue<T>>,
    course: Arc<Course>,
    end: RedriveEnd,
}

impl<T> Turn<T> {
    /// Takes the turn for `letters` letters, unless a redrive is running already.
    pub(crate) fn take(queue: &Arc<Queue<T>>, letters: usize) -> Result<Self, NotNow> {
        let mut state = queue.moving.state.lock();
        if state.closed {
            return Err(NotNow::Closed);
        }
        if state.running.is_some() {
            return Err(NotNow::Running);
        }
        let course = Arc::new(Course::new(letters, &queue.clock));
        state.running = Some(Arc::clone(&course));
        drop(state);
        Ok(Self { queue: Arc::clone(queue), course, end: RedriveEnd::Cancelled })
    }

    pub(crate) fn course(&self) -> &Arc<Course> {
        &self.course
    }

    /// Moves the letters at these places, `rate` a second if there is one. Blocks until it has ended.
    pub(crate) fn run(mut self, places: Vec<u64>, rate: Option<f64>) {
        let pace = rate.map(Pace::new);
        self.end = self.queue.move_all(&self.course, places, pace);
    }
}

impl<T> Drop for Turn<T> {
    fn drop(&mut self) {
        self.queue.moving.state.lock().running = None;
        self.course.end(self.end);
    }
}

impl<T> Queue<T> {
    /// Returns the course of the redrive that runs.
    pub(crate) fn redriving(&self) -> Option<Arc<Course>> {
        self.moving.running()
    }

    fn move_all(&self, course: &Arc<Course>, places: Vec<u64>, mut pace: Option<Pace>) -> RedriveEnd {
        let waker = Waker::from(Arc::clone(course));
        // A letter that somebody is looking at has a second turn, after all others.
        let mut turns: VecDeque<(u64, bool)> = places.into_iter().map(|place| (place, true)).collect();
        while let Some((place, first)) = turns.pop_front() {
            let ready =
                self.wait_for_slot(course, pace.as_ref()).and_then(|()| self.wait_for_room(course, &waker));
            let room = match ready {
                Ok(room) => room,
                Err(end) => return end,
            };
            let (sent, lent) = self.send_from(place, room);
            match sent {
                Ok(()) => {
                    // The next slot is set before anybody can see that this letter is moved: who moves a virtual clock on
                    // because of it moves it towards that slot.
                    if let Some(pace) = &mut pace {
                        pace.moved(self.clock.moment());
                    }
                    course.count(true);
                }
                Err(RedriveError::Closed) => return RedriveEnd::Closed,
                // Those that were put aside have found room elsewhere.
                Err(RedriveError::Full) => turns.push_front((place, first)),
                Err(_) if lent && first => turns.push_back((place, false)),
                Err(_) => course.count(false),
            }
        }
        RedriveEnd::Finished
    }

    /// Waits until the pace allows a move.
    fn wait_for_slot(&self, course: &Course, pace: Option<&Pace>) -> Result<(), RedriveEnd> {
        loop {
            let rings = course.alarm().rings();
            if let Some(end) = course.stopped() {
                return Err(end);
            }
            match pace.map(Pace::next) {
                Some(next) if next > self.clock.moment() => {
                    course.alarm().wait(rings, self.clock.instant_of(next));
                }
                _ => return Ok(()),
            }
        }
    }

    /// Makes the job of the letter at `place` ready. Says also whether somebody is looking at the letter.
    fn send_from(&self, place: u64, room: Room) -> (Result<(), RedriveError>, bool) {
        match room {
            Room::Admitted => {
                let placed = self.morgue.remove_at(place, Leave::Redriven);
                let lent = matches!(placed, Err(Absent::OnLoan));
                (self.send_admitted(placed), lent)
            }
            Room::Aside => {
                let placed = self.readmit(|drawers| drawers.leave(place, Leave::Redriven));
                let lent = matches!(placed, Err(RedriveError::InUse));
                (placed.and_then(|placed| self.send_again(placed)), lent)
            }
        }
    }

    /// Has the mover look whether there is room for it.
    pub(super) fn nudge_mover(&self) {
        if let Some(course) = self.moving.running() {
            course.alarm().ring();
        }
    }

    /// Waits until the gate lets one job in, or until there may be room in place of a job that was put aside.
    fn wait_for_room(&self, course: &Course, waker: &Waker) -> Result<Room, RedriveEnd> {
        let mut admission = pin!(Waiting::new(Admission { gate: &self.gate, limit: 1 }));
        loop {
            let rings = course.alarm().rings();
            if let Some(end) = course.stopped() {
                return Err(end);
            }
            if self.morgue.has_aside() {
                return Ok(Room::Aside);
            }
            match admission.as_mut().poll(&mut Context::from_waker(waker)) {
                Poll::Ready(admitted) => {
                    return admitted.map(|_| Room::Admitted).map_err(|_| RedriveEnd::Closed);
                }
                Poll::Pending => course.alarm().wait(rings, None),
            }
        }
    }
}
