//! The calls to create, get and delete computers, and to get the password of their WebSocket channels.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::app::{ApiError, App, Body};
use crate::computer::{Enforced, Phase, Resolution};
use crate::doctor;
use crate::secret::Secret;
use crate::store::{ComputerRecord, NewComputer, StoreError};

use super::base::BaseUrl;
use super::target::Target;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/computers", post(create))
        .route("/computers/{id}", get(show).delete(delete))
        .route("/computers/{id}/vnc-password", get(vnc_password))
}

/// The allowed sizes: all that any version of the hosted service offers.
const RAM_GB: &[f64] = &[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0];
const CPU_CORES: &[f64] = &[0.5, 1.0, 2.0, 4.0, 8.0, 16.0];
const GPUS: &[&str] = &["none", "a10", "l40s", "a100-40gb", "a100-80gb"];
/// The maximum length of a computer's name, in characters.
const MAX_NAME_LENGTH: usize = 100;

#[derive(Debug, Deserialize)]
pub(super) struct CreateRequest {
    #[serde(alias = "project_id")]
    workspace_id: String,
    name: String,
    os: Option<String>,
    ram: Option<f64>,
    cpu: Option<f64>,
    gpu: Option<String>,
    disk_size_gb: Option<f64>,
    resolution: Option<String>,
    template_ref: Option<String>,
    image: Option<String>,
}

impl CreateRequest {
    pub(super) fn validate(self) -> Result<NewComputer, ApiError> {
        let name = self.name.trim().to_owned();
        if name.is_empty() || name.chars().count() > MAX_NAME_LENGTH {
            return Err(ApiError::bad_request(format!("name: must have 1 to {MAX_NAME_LENGTH} characters")));
        }
        let os = self.os.unwrap_or_else(|| "linux".into());
        if os != "linux" {
            return Err(ApiError::bad_request(format!("os: {os:?} is not supported; use \"linux\"")));
        }
        if self.template_ref.is_some() || self.image.is_some() {
            let field = if self.image.is_some() { "image" } else { "template_ref" };
            return Err(ApiError::bad_request(format!(
                "{field}: is not supported by this server; leave it out"
            )));
        }
        let gpu = self.gpu.unwrap_or_else(|| "none".into());
        if !GPUS.contains(&gpu.as_str()) {
            return Err(ApiError::bad_request(format!("gpu: {gpu:?} is not one of {}", GPUS.join(", "))));
        }
        let resolution = self.resolution.as_deref().unwrap_or_default();
        let resolution = match resolution {
            "" => Resolution::default(),
            text => {
                text.parse().map_err(|problem| ApiError::bad_request(format!("resolution: {problem}")))?
            }
        };
        let disk_size_gb = self.disk_size_gb.unwrap_or(8.0);
        if !(disk_size_gb > 0.0 && disk_size_gb.is_finite()) {
            return Err(ApiError::bad_request("disk_size_gb: must be more than 0"));
        }
        Ok(NewComputer {
            workspace_id: self.workspace_id,
            name,
            os,
            ram: one_of("ram", self.ram, RAM_GB, 4.0)?,
            cpu: one_of("cpu", self.cpu, CPU_CORES, 2.0)?,
            gpu,
            disk_size_gb,
            resolution,
        })
    }
}

fn one_of(field: &str, value: Option<f64>, sizes: &[f64], default: f64) -> Result<f64, ApiError> {
    let value = value.unwrap_or(default);
    if sizes.contains(&value) {
        return Ok(value);
    }
    let sizes: Vec<_> = sizes.iter().map(ToString::to_string).collect();
    Err(ApiError::bad_request(format!("{field}: {value} is not one of {}", sizes.join(", "))))
}

async fn create(
    State(app): State<Arc<App>>,
    base: BaseUrl,
    Body(request): Body<CreateRequest>,
) -> Result<(StatusCode, Json<Value>), ApiError> {
    let spec = request.validate()?;
    let workspace =
        app.store.workspace(&spec.workspace_id)?.ok_or_else(|| ApiError::not_found("Workspace"))?;
    let isolation = app.fleet.isolation();
    if let Some(obstacle) =
        tokio::task::spawn_blocking(move || doctor::problem(isolation)).await.unwrap_or_default()
    {
        return Err(ApiError::new(StatusCode::SERVICE_UNAVAILABLE, obstacle).with("code", "host_not_ready"));
    }
    let computer = app.store.create_computer(&spec).map_err(|error| match error {
        StoreError::NameTaken => ApiError::new(
            StatusCode::CONFLICT,
            format!("name: a computer named {:?} already exists in this workspace", spec.name),
        ),
        other => other.into(),
    })?;
    let phase = app.fleet.start(&computer, None).await?;
    Ok((StatusCode::CREATED, Json(describe(&computer, &workspace.name, &phase, &base).await)))
}

async fn show(
    State(app): State<Arc<App>>,
    base: BaseUrl,
    Target(computer): Target,
) -> Result<Json<Value>, ApiError> {
    let workspace =
        app.store.workspace(&computer.spec.workspace_id)?.ok_or_else(|| ApiError::not_found("Computer"))?;
    Ok(Json(describe(&computer, &workspace.name, &app.fleet.phase(&computer), &base).await))
}

async fn delete(State(app): State<Arc<App>>, Target(computer): Target) -> Result<Json<Value>, ApiError> {
    app.fleet.delete(&computer).await?;
    Ok(Json(json!({ "success": true })))
}

async fn vnc_password(
    State(app): State<Arc<App>>,
    Target(computer): Target,
) -> Result<Json<Value>, ApiError> {
    let phase = app.fleet.phase(&computer);
    let password = phase.password().ok_or_else(|| {
        ApiError::new(StatusCode::NOT_FOUND, "VNC password not set: each start of the computer creates one")
    })?;
    Ok(Json(json!({ "password": password.expose() })))
}

/// Returns the JSON of a computer, with the fields that clients of all API versions expect.
pub(super) async fn describe(
    computer: &ComputerRecord,
    workspace_name: &str,
    phase: &Phase,
    base: &BaseUrl,
) -> Value {
    let connection_url = format!("{}/desktops/{}", base.as_str(), computer.instance_id);
    let spec = &computer.spec;
    let resolution = spec.resolution.to_string();
    let details = match phase {
        Phase::Running(machine) => {
            // Programs in the computer can change the resolution.
            let current = machine.resolution().await.unwrap_or(spec.resolution);
            let Enforced { ram, cpu } = machine.enforced();
            // `gpu` and `disk_size_gb` are stored and returned, but never enforced.
            let enforced = json!({ "ram": ram, "cpu": cpu, "gpu": false, "disk_size_gb": false });
            json!({
                "id": computer.instance_id,
                "resolution": current.to_string(),
                "isolation": machine.isolation().name(),
                "enforced": enforced,
                "missing_parts": machine.missing(),
                "settings": machine.settings().name(),
            })
        }
        Phase::Starting(_) | Phase::Restarting(_) => {
            json!({ "id": computer.instance_id, "resolution": resolution })
        }
        Phase::Failed(reason) => {
            json!({ "id": computer.instance_id, "resolution": resolution, "error": reason })
        }
        Phase::Stopped | Phase::Stopping => Value::Null,
    };
    json!({
        "id": computer.id,
        "instance_id": computer.instance_id,
        "fly_instance_id": computer.instance_id,
        "name": spec.name,
        "workspace_id": spec.workspace_id,
        "project_id": spec.workspace_id,
        "project_name": workspace_name,
        "os": spec.os,
        "ram": json_number(spec.ram),
        "cpu": json_number(spec.cpu),
        "gpu": spec.gpu,
        "disk_size_gb": json_number(spec.disk_size_gb),
        "resolution": resolution,
        "status": phase.status(),
        "created_at": computer.created_at,
        "hostname": base.hostname(),
        "url": connection_url,
        "connection_url": connection_url,
        "vnc_password": phase.password().map(Secret::expose),
        "instance_details": details,
    })
}

/// Converts a number to JSON. Writes a whole number without a decimal point, like the hosted service.
fn json_number(number: f64) -> Value {
    #[expect(clippy::cast_possible_truncation, reason = "the fraction is zero and the sizes are small")]
    if number.fract() == 0.0 { json!(number as i64) } else { json!(number) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(more: &Value) -> Result<NewComputer, String> {
        let mut body = json!({ "workspace_id": "w", "name": "one" });
        body.as_object_mut()
            .expect("it is an object")
            .extend(more.as_object().expect("it is an object").clone());
        let request: CreateRequest = serde_json::from_value(body).expect("the types are right");
        request.validate().map_err(|error| format!("{error:?}"))
    }

    #[test]
    fn omitted_parameters_have_their_documented_defaults() {
        let spec = check(&json!({})).expect("all other parameters are optional");
        assert_eq!((spec.ram, spec.cpu, spec.gpu.as_str()), (4.0, 2.0, "none"));
        assert_eq!(spec.resolution.to_string(), "1280x720x24");
    }

    #[test]
    fn an_error_names_the_parameter() {
        for (field, value) in [
            ("name", json!(" ")),
            ("os", json!("windows")),
            ("ram", json!(3)),
            ("cpu", json!(0)),
            ("gpu", json!("h100")),
            ("resolution", json!("big")),
            ("disk_size_gb", json!(-1)),
            ("image", json!("x")),
        ] {
            let refusal = check(&json!({ field: value })).expect_err("the value is not valid");
            assert!(refusal.contains(&format!("{field}: ")), "{refusal}");
        }
    }

    #[test]
    fn only_whole_numbers_become_json_integers() {
        assert_eq!((json_number(0.5), json_number(4.0)), (json!(0.5), json!(4)));
    }
}
