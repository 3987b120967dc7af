//! Manages all computers of the server and their state transitions. Each computer has at most one transition at a time.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::files::Contents;
use crate::secret::Secret;
use crate::store::{ComputerRecord, Store, StoreError};

use super::delivery;
use super::homes::Homes;
use super::isolation::Isolation;
use super::limits::Limits;
use super::machine::{Machine, MachineConfig};
use super::runtime_dir::RuntimeDir;
use super::session::{BootError, Settings};
use super::spawner::Spawner;

/// The time after the start of a computer during which the settings in its home may be the cause of a crash.
const EARLY_CRASH: Duration = Duration::from_secs(60);
/// The maximum time for which a call waits for a starting computer.
const START_TIMEOUT: Duration = Duration::from_secs(35);

/// The state of a computer.
#[derive(Clone, Debug)]
pub(crate) enum Phase {
    Stopped,
    /// The computer is starting, with this password.
    Starting(Secret),
    /// The computer is restarting, with this new password.
    Restarting(Secret),
    Running(Arc<Machine>),
    Stopping,
    /// The computer did not start, or it crashed. Contains the reason that is shown to users.
    Failed(String),
}

impl Phase {
    /// Returns the name of the state in the protocol.
    pub(crate) fn status(&self) -> &'static str {
        match self {
            Self::Stopped => "stopped",
            Self::Starting(_) => "starting",
            Self::Restarting(_) => "restarting",
            Self::Running(_) => "running",
            Self::Stopping => "stopping",
            Self::Failed(_) => "error",
        }
    }

    pub(crate) fn password(&self) -> Option<&Secret> {
        match self {
            Self::Starting(password) | Self::Restarting(password) => Some(password),
            Self::Running(machine) => Some(machine.password()),
            Self::Stopped | Self::Stopping | Self::Failed(_) => None,
        }
    }
}

/// The reason why a transition did not begin.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FleetError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the system has no random numbers: {0}")]
    Randomness(#[from] getrandom::Error),
    #[error("cannot remove its files: {0}")]
    Files(#[from] io::Error),
    /// The computer was deleted while the call waited for another transition.
    #[error("the computer was deleted")]
    Gone,
    #[error("the server is shutting down")]
    ShuttingDown,
}

/// All computers of the server. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Fleet(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    store: Arc<Store>,
    contents: Arc<Contents>,
    homes: Homes,
    limits: Limits,
    isolation: Isolation,
    runtime: Arc<RuntimeDir>,
    spawner: Spawner,
    /// Canceled when the server shuts down. The cancellation aborts the start of computers.
    shutting_down: CancellationToken,
    /// The slots by computer ID. `None` once the server shuts down, so that no computer starts after that.
    slots: Mutex<Option<HashMap<String, Arc<Slot>>>>,
}

#[derive(Debug)]
struct Slot {
    phase: watch::Sender<Phase>,
    /// Locked during a transition.
    transition: Arc<AsyncMutex<()>>,
    /// Locked while uploads are delivered, so that they are delivered in order.
    delivery: AsyncMutex<()>,
    /// The settings for the next start.
    settings: Mutex<Settings>,
}

impl Slot {
    /// Changes the settings for the next start, unless `settings` is `None`. Ignores poisoning, because code that holds
    /// the lock cannot panic.
    fn set_settings(&self, settings: Option<Settings>) {
        if let Some(settings) = settings {
            *self.settings.lock().unwrap_or_else(PoisonError::into_inner) = settings;
        }
    }

    /// Returns the settings for this start, and resets the settings for the next start to [`Settings::Home`].
    fn take_settings(&self) -> Settings {
        std::mem::take(&mut *self.settings.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Fleet {
    pub(crate) fn new(
        store: Arc<Store>,
        contents: Arc<Contents>,
        homes: Homes,
        runtime: RuntimeDir,
        spawner: Spawner,
    ) -> Self {
        Self(Arc::new(Inner {
            store,
            contents,
            isolation: homes.isolation(),
            homes,
            limits: runtime.limits(),
            runtime: Arc::new(runtime),
            spawner,
            shutting_down: CancellationToken::new(),
            slots: Mutex::new(Some(HashMap::new())),
        }))
    }

    /// Starts every computer that was running when the server was last stopped.
    pub(crate) async fn resume(&self) -> Result<(), FleetError> {
        for computer in self.0.store.computers(None)?.into_iter().filter(|computer| computer.should_run) {
            self.start(&computer, None).await?;
        }
        Ok(())
    }

    /// Returns how the computers are isolated.
    pub(crate) fn isolation(&self) -> Isolation {
        self.0.isolation
    }

    pub(crate) fn phase(&self, computer: &ComputerRecord) -> Phase {
        self.slot(computer).map_or(Phase::Stopped, |slot| slot.phase.borrow().clone())
    }

    /// Returns the machine of a running computer. If the computer is starting, waits for up to [`START_TIMEOUT`].
    /// Returns `None` if the computer is not running.
    pub(crate) async fn machine(&self, computer: &ComputerRecord) -> Option<Arc<Machine>> {
        let mut phase = self.slot(computer).ok()?.phase.subscribe();
        let settled = phase.wait_for(|phase| !matches!(phase, Phase::Starting(_) | Phase::Restarting(_)));
        match &*timeout(START_TIMEOUT, settled).await.ok()?.ok()? {
            Phase::Running(machine) => Some(Arc::clone(machine)),
            _ => None,
        }
    }

    /// Delivers the pending uploads of a computer if it is running. Otherwise they are delivered when the computer
    /// starts.
    pub(crate) async fn deliver(&self, computer: &ComputerRecord) {
        if let Ok(slot) = self.slot(computer) {
            let phase = slot.phase.borrow().clone();
            if let Phase::Running(machine) = phase {
                self.deliver_to(&slot, &machine, &computer.id).await;
            }
        }
    }

    async fn deliver_to(&self, slot: &Slot, machine: &Machine, computer_id: &str) {
        let _guard = slot.delivery.lock().await;
        delivery::deliver(&self.0.store, &self.0.contents, machine, computer_id).await;
    }

    /// Begins to start a computer, unless it is running. Returns the phase of the computer without waiting for the
    /// start. If `settings` is `None` and the settings in the home may be the cause of the last crash, the computer
    /// starts with the settings of the system.
    pub(crate) async fn start(
        &self,
        computer: &ComputerRecord,
        settings: Option<Settings>,
    ) -> Result<Phase, FleetError> {
        let (slot, transition) = self.begin_transition(computer).await?;
        let running = matches!(*slot.phase.borrow(), Phase::Running(_));
        self.record_should_run(computer, true)?;
        if !running {
            slot.set_settings(settings);
            let password = new_password()?;
            slot.phase.send_replace(Phase::Starting(password.clone()));
            tokio::spawn(self.clone().boot(computer.clone(), Arc::clone(&slot), password, transition));
        }
        let phase = slot.phase.borrow().clone();
        Ok(phase)
    }

    /// Begins to stop a computer, unless it is stopped. Returns the phase of the computer without waiting until it has
    /// stopped.
    pub(crate) async fn stop(&self, computer: &ComputerRecord) -> Result<Phase, FleetError> {
        let (slot, transition) = self.begin_transition(computer).await?;
        self.record_should_run(computer, false)?;
        match slot.phase.send_replace(Phase::Stopping) {
            Phase::Running(machine) => {
                let slot = Arc::clone(&slot);
                tokio::spawn(async move {
                    machine.stop().await;
                    slot.phase.send_replace(Phase::Stopped);
                    drop(transition);
                });
            }
            _ => drop(slot.phase.send_replace(Phase::Stopped)),
        }
        let phase = slot.phase.borrow().clone();
        Ok(phase)
    }

    /// Begins to restart a computer. A computer that is stopped is started. Returns the phase of the computer without
    /// waiting for the restart.
    pub(crate) async fn restart(
        &self,
        computer: &ComputerRecord,
        settings: Option<Settings>,
    ) -> Result<Phase, FleetError> {
        let (slot, transition) = self.begin_transition(computer).await?;
        self.record_should_run(computer, true)?;
        slot.set_settings(settings);
        let password = new_password()?;
        let before = slot.phase.send_replace(Phase::Restarting(password.clone()));
        let (fleet, computer, booting) = (self.clone(), computer.clone(), Arc::clone(&slot));
        tokio::spawn(async move {
            if let Phase::Running(machine) = before {
                machine.stop().await;
            }
            fleet.boot(computer, booting, password, transition).await;
        });
        let phase = slot.phase.borrow().clone();
        Ok(phase)
    }

    /// Records whether the computer starts at the next start of the server.
    ///
    /// A full disk is not an error: the files in a home may have filled the disk. Then the computer must start, because
    /// only its user can delete these files.
    fn record_should_run(&self, computer: &ComputerRecord, should_run: bool) -> Result<(), StoreError> {
        match self.0.store.set_should_run(&computer.id, should_run) {
            Err(StoreError::DiskFull) => {
                tracing::error!(
                    "the disk of the data folder is full: computer {} may be {} at the next start of the server",
                    computer.instance_id,
                    if should_run { "stopped" } else { "running" }
                );
                Ok(())
            }
            recorded => recorded,
        }
    }

    /// Stops a computer, then removes its home and its record. Returns when both are removed. Dropping the future does
    /// not cancel the removal.
    pub(crate) async fn delete(&self, computer: &ComputerRecord) -> Result<(), FleetError> {
        let (fleet, computer) = (self.clone(), computer.clone());
        tokio::spawn(async move { fleet.remove(&computer).await }).await.map_err(io::Error::other)?
    }

    async fn remove(&self, computer: &ComputerRecord) -> Result<(), FleetError> {
        let (slot, _transition) = self.begin_transition(computer).await?;
        if let Phase::Running(machine) = slot.phase.send_replace(Phase::Stopping) {
            machine.stop().await;
        }
        slot.phase.send_replace(Phase::Stopped);
        let (homes, id) = (self.0.homes.clone(), computer.id.clone());
        // Removing a home may take a long time, because the home can contain a large number of files.
        tokio::task::spawn_blocking(move || homes.remove(&id)).await.map_err(io::Error::other)??;
        // The record is deleted last, so that a failed call can be repeated.
        self.0.store.delete_computer(&computer.id)?;
        if let Some(slots) = self.slots().as_mut() {
            slots.remove(&computer.id);
        }
        Ok(())
    }

    /// Returns whether all computers stop, because the server stops.
    pub(crate) fn is_shutting_down(&self) -> bool {
        self.0.shutting_down.is_cancelled()
    }

    /// Stops all computers, and prevents the start of others.
    pub(crate) async fn shut_down(&self) {
        let slots = self.slots().take().unwrap_or_default();
        self.0.shutting_down.cancel();
        let mut stopping = JoinSet::new();
        for slot in slots.into_values() {
            stopping.spawn(async move {
                let _transition = Arc::clone(&slot.transition).lock_owned().await;
                if let Phase::Running(machine) = slot.phase.send_replace(Phase::Stopping) {
                    machine.stop().await;
                }
            });
        }
        stopping.join_all().await;
    }

    async fn boot(
        self,
        computer: ComputerRecord,
        slot: Arc<Slot>,
        password: Secret,
        transition: OwnedMutexGuard<()>,
    ) {
        let settings = slot.take_settings();
        let mut booted = self.boot_with(&computer, password.clone(), settings).await;
        if let Err(error) = &booted
            && settings == Settings::Home
            && error.may_come_from_settings()
        {
            tracing::warn!(
                "computer {} did not start with the settings in its home, retrying with the system's: {error}",
                computer.instance_id
            );
            booted = self.boot_with(&computer, password, Settings::System).await;
        }
        match booted {
            Ok(machine) => {
                let machine = Arc::new(machine);
                // Pending uploads are delivered before the computer counts as running. Uploads that arrive during this
                // delivery are delivered by the second call below.
                let delivery = self.deliver_to(&slot, &machine, &computer.id);
                self.0.shutting_down.run_until_cancelled(delivery).await;
                slot.phase.send_replace(Phase::Running(Arc::clone(&machine)));
                drop(transition);
                self.deliver_to(&slot, &machine, &computer.id).await;
                tokio::spawn(watch_for_crash(slot, machine, computer.instance_id));
            }
            Err(error) => {
                tracing::error!("computer {} did not start: {error}", computer.instance_id);
                slot.phase.send_replace(Phase::Failed(error.to_string()));
            }
        }
    }

    async fn boot_with(
        &self,
        computer: &ComputerRecord,
        password: Secret,
        settings: Settings,
    ) -> Result<Machine, BootError> {
        let config = self.config(computer, password, settings).map_err(BootError::Home)?;
        Machine::boot(config, &self.0.spawner, &self.0.shutting_down).await
    }

    fn config(
        &self,
        computer: &ComputerRecord,
        password: Secret,
        settings: Settings,
    ) -> io::Result<MachineConfig> {
        let spec = &computer.spec;
        let home = self.0.homes.prepare(&computer.id, computer.slot)?;
        Ok(MachineConfig {
            group: self.0.limits.create_group(&computer.instance_id, spec.ram, spec.cpu),
            layout: self.0.isolation.layout(&self.0.runtime, &home, computer.slot)?,
            isolation: self.0.isolation,
            runtime: Arc::clone(&self.0.runtime),
            owner: home.owner,
            // Resolvers take a name of digits alone for an IPv4 address, and an instance ID may be one.
            hostname: format!("orgo-{}", computer.instance_id),
            resolution: spec.resolution,
            password,
            settings,
        })
    }

    async fn begin_transition(
        &self,
        computer: &ComputerRecord,
    ) -> Result<(Arc<Slot>, OwnedMutexGuard<()>), FleetError> {
        let slot = self.slot(computer)?;
        let transition = Arc::clone(&slot.transition).lock_owned().await;
        // While this call waited, the computer may have been deleted, or the server may have begun to shut down.
        let exists = self.0.store.computer(&computer.id)?.is_some();
        let mut slots = self.slots();
        let slots = slots.as_mut().ok_or(FleetError::ShuttingDown)?;
        if !exists {
            slots.remove(&computer.id);
            return Err(FleetError::Gone);
        }
        Ok((slot, transition))
    }

    fn slot(&self, computer: &ComputerRecord) -> Result<Arc<Slot>, FleetError> {
        let mut slots = self.slots();
        let slots = slots.as_mut().ok_or(FleetError::ShuttingDown)?;
        let slot = slots.entry(computer.id.clone()).or_insert_with(|| {
            Arc::new(Slot {
                phase: watch::Sender::new(Phase::Stopped),
                transition: Arc::default(),
                delivery: AsyncMutex::default(),
                settings: Mutex::default(),
            })
        });
        Ok(Arc::clone(slot))
    }

    /// Locks the slots. Ignores poisoning, because code that holds the lock cannot panic in the middle of a change.
    fn slots(&self) -> std::sync::MutexGuard<'_, Option<HashMap<String, Arc<Slot>>>> {
        self.0.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Waits until a computer stops or crashes. After a crash, ends the remaining processes and records the reason.
async fn watch_for_crash(slot: Arc<Slot>, machine: Arc<Machine>, name: String) {
    machine.stopping().cancelled().await;
    let _transition = Arc::clone(&slot.transition).lock_owned().await;
    let ended_by_itself =
        matches!(&*slot.phase.borrow(), Phase::Running(current) if Arc::ptr_eq(current, &machine));
    if ended_by_itself {
        let mut reason = machine.failure().unwrap_or("it has crashed").to_owned();
        if machine.settings() == Settings::Home && machine.age() < EARLY_CRASH {
            slot.set_settings(Some(Settings::System));
            reason.push_str("; the next start uses the system's settings instead of those in the home");
        }
        tracing::error!("computer {name} ended: {reason}");
        machine.stop().await;
        slot.phase.send_replace(Phase::Failed(reason));
    }
}

fn new_password() -> Result<Secret, getrandom::Error> {
    Secret::random("", 16)
}
