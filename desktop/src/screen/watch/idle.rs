//! Reports when the input devices become idle or active.

use std::time::Duration;

use x11rb::{
    connection::Connection,
    protocol::{
        Event,
        sync::{Alarm, ChangeAlarmAux, ConnectionExt as _, CreateAlarmAux, Int64, TESTTYPE, VALUETYPE},
    },
};

use crate::screen::{
    ScreenError, ScreenEvent,
    connection::{Display, checked_reply},
};

/// Reports when the input devices have been idle for a given time, and when they are used again.
///
/// One alarm on the idle time counter of the X server causes both reports. The alarm waits alternately until the
/// counter reaches the limit and until it falls below the limit.
#[derive(Debug)]
pub(super) struct Idle {
    alarm: Alarm,
    limit_ms: i64,
    idle: bool,
}

impl Idle {
    pub(super) fn start(display: &Display, limit: Duration) -> Result<Self, ScreenError> {
        let conn = &display.conn;
        conn.sync_initialize(3, 1)?.reply()?;
        let counters = checked_reply::system_counters(display)?.counters;
        let Some(counter) = counters.into_iter().find(|counter| counter.name == b"IDLETIME") else {
            return Err(ScreenError::Unsupported("the counter IDLETIME".to_owned()));
        };
        let limit_ms = i64::try_from(limit.as_millis()).unwrap_or(i64::MAX);
        let alarm = conn.generate_id()?;
        let settings = CreateAlarmAux::new()
            .counter(counter.counter)
            .value_type(VALUETYPE::ABSOLUTE)
            .value(int64(limit_ms))
            .test_type(TESTTYPE::POSITIVE_COMPARISON)
            .delta(int64(0))
            .events(1);
        conn.sync_create_alarm(alarm, &settings)?.check()?;
        Ok(Self { alarm, limit_ms, idle: false })
    }

    pub(super) fn handle(
        &mut self,
        display: &Display,
        event: &Event,
        sink: &dyn Fn(ScreenEvent),
    ) -> Result<(), ScreenError> {
        let Event::SyncAlarmNotify(notice) = event else { return Ok(()) };
        if notice.alarm != self.alarm {
            return Ok(());
        }
        self.idle = !self.idle;
        if self.idle {
            let idle_seconds = millis(notice.counter_value) / 1000;
            sink(ScreenEvent::Idle { idle_seconds });
        } else {
            sink(ScreenEvent::Active);
        }
        self.wait_for_change(display)
    }

    /// Continues with the state of an earlier connection after a reconnection.
    pub(super) fn resume(&mut self, display: &Display, earlier: &Self) -> Result<(), ScreenError> {
        self.idle = earlier.idle;
        self.wait_for_change(display)
    }

    fn wait_for_change(&self, display: &Display) -> Result<(), ScreenError> {
        let next = if self.idle {
            ChangeAlarmAux::new().value(int64(self.limit_ms - 1)).test_type(TESTTYPE::NEGATIVE_COMPARISON)
        } else {
            ChangeAlarmAux::new().value(int64(self.limit_ms)).test_type(TESTTYPE::POSITIVE_COMPARISON)
        };
        display.conn.sync_change_alarm(self.alarm, &next)?;
        Ok(())
    }
}

fn int64(value: i64) -> Int64 {
    Int64 { hi: (value >> 32) as i32, lo: value as u32 }
}

fn millis(value: Int64) -> u64 {
    u64::from(value.hi.max(0).unsigned_abs()) << 32 | u64::from(value.lo)
}
