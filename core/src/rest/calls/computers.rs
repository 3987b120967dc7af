//! The life cycle of computers.

use crate::client::credentials::Password;
use crate::encoding::json::Map;
use crate::rest::calls::Acknowledged;
use crate::rest::operation::{bare, endpoint};
use crate::rest::schema::{Rule, Typed, choice, object};

choice! {
    /// The operating system.
    #[source("PY: `windows`")]
    Os {
        /// Linux, which every generation of the service supports.
        Linux = "linux",
        /// Windows, which only the newest generation accepts.
        Windows = "windows",
    }

    /// The graphics card. It is not known whether the service provides a requested graphics card.
    Gpu {
        /// No graphics card.
        None = "none",
        /// NVIDIA A10.
        A10 = "a10",
        /// NVIDIA L40S.
        L40s = "l40s",
        /// NVIDIA A100 with 40 GB.
        A100With40Gb = "a100-40gb",
        /// NVIDIA A100 with 80 GB.
        A100With80Gb = "a100-80gb",
    }

    /// The state of a computer.
    #[source("G3; BOPS: `frozen`")]
    Status {
        /// Being created.
        Creating = "creating",
        /// Booting.
        Starting = "starting",
        /// Ready for every call.
        Running = "running",
        /// Shutting down.
        Stopping = "stopping",
        /// Off. The disk is kept.
        Stopped = "stopped",
        /// Shutting down, then booting.
        Restarting = "restarting",
        /// Suspended. The memory is kept.
        Suspended = "suspended",
        /// Off. The newest generation reports this after a stop.
        Frozen = "frozen",
        /// Being deleted.
        Deleting = "deleting",
        /// The computer has failed.
        Error = "error",
    }
}

object! {
    /// A computer.
    Computer {
        /// The UUID of the computer.
        id: String,
        /// The name, which is unique within the workspace.
        name: Option<String>,
        /// The UUID of the workspace.
        workspace_id: Option<String>,
        /// The older name of `workspace_id`.
        project_id: Option<String>,
        /// The name of the workspace.
        project_name: Option<String>,
        /// The operating system.
        os: Option<Os>,
        /// The memory, in GB.
        ram: Option<f64>,
        /// The number of processor cores.
        cpu: Option<f64>,
        /// The size of the disk, in GB.
        disk_size_gb: Option<f64>,
        /// The size of the screen in pixels and its depth in bits, `WIDTHxHEIGHTxDEPTH`.
        resolution: Option<String>,
        /// The state of the computer.
        status: Option<Status>,
        /// The URL of the computer's page on the dashboard.
        url: Option<String>,
        /// The time of creation: ISO 8601, UTC.
        created_at: Option<String>,
        /// The second id of the computer, which the channels use.
        instance_id: Option<String>,
        /// The older name of `instance_id`.
        fly_instance_id: Option<String>,
        /// The host of the service.
        hostname: Option<String>,
        /// The base URL of the computer's channels.
        connection_url: Option<String>,
        /// The password of the computer's channels.
        vnc_password: Option<Password>,
        /// Details from the host; absent while the computer is stopped.
        instance_details: Option<Map>,
    }

    /// The password of a computer's channels.
    VncPassword {
        /// The password. It changes whenever the computer restarts.
        password: Password,
        /// A token for direct calls to the computer, on newer images.
        #[source("MCP")]
        desktop_api_token: Option<Password>,
    }
}

endpoint! {
    /// Creates a computer, which starts automatically.
    CreateComputer = "computers.create";
    Post "/computers", Once, Json => Computer, bare(Computer::TYPE);
    path {}
    fields {
        /// The UUID of the workspace that the computer belongs to.
        workspace_id: String { rule: Rule::NotEmpty },
        /// A name that is unique within the workspace.
        name: String { rule: Rule::NotEmpty },
        /// The operating system.
        os: Option<Os> { default: "linux" },
        /// The memory, in GB.
        ram: Option<i64> { rule: Rule::OneOf(&[4.0, 8.0, 16.0, 32.0, 64.0]), default: "4" },
        /// The number of processor cores. 0.5 and 1 need a newer generation of the service, whose default is 1.
        #[source("the specification: 2, 4, 8, 16 and the default; G3: 1; PY: 0.5")]
        cpu: Option<f64> { rule: Rule::OneOf(&[0.5, 1.0, 2.0, 4.0, 8.0, 16.0]), default: "2" },
        /// The graphics card.
        gpu: Option<Gpu> { default: "none" },
        /// The size of the screen in pixels and its depth in bits, `WIDTHxHEIGHTxDEPTH`.
        resolution: Option<String> { rule: Rule::Resolution, default: "1280x720x24" },
        /// The size of the disk, in GB.
        #[source("G3")]
        disk_size_gb: Option<i64> { rule: Rule::Min(1.0) },
        /// The template of the computer, such as `namespace/name@version`.
        #[source("G3")]
        template_ref: Option<String> { rule: Rule::NotEmpty },
        /// The reference of the image of the computer.
        #[source("PY")]
        image: Option<String> { rule: Rule::NotEmpty },
    }
}

endpoint! {
    /// Fetches a computer.
    GetComputer = "computers.get";
    Get "/computers/{id}", Read, Query => Computer, bare(Computer::TYPE);
    path {
        /// The computer's id.
        id,
    }
    fields {}
}

endpoint! {
    /// Deletes a computer and its disk. A running computer is stopped first.
    DeleteComputer = "computers.delete";
    Delete "/computers/{id}", Idempotent, Query => Acknowledged, bare(Acknowledged::TYPE);
    path {
        /// The computer's id.
        id,
    }
    fields {}
}

endpoint! {
    /// Fetches the password of the computer's channels.
    GetVncPassword = "computers.vncPassword";
    Get "/computers/{id}/vnc-password", Read, Query => VncPassword, bare(VncPassword::TYPE);
    path {
        /// The computer's id.
        id,
    }
    fields {}
}

endpoint! {
    /// Starts a stopped computer.
    StartComputer = "computers.start";
    Post "/computers/{id}/start", Idempotent, Json => Acknowledged, bare(Acknowledged::TYPE);
    path {
        /// The computer's id.
        id,
    }
    fields {}
}

endpoint! {
    /// Stops a computer. The disk is kept; all processes end.
    StopComputer = "computers.stop";
    Post "/computers/{id}/stop", Idempotent, Json => Acknowledged, bare(Acknowledged::TYPE);
    path {
        /// The computer's id.
        id,
    }
    fields {}
}

endpoint! {
    /// Restarts a computer. The password of the computer's channels changes.
    RestartComputer = "computers.restart";
    Post "/computers/{id}/restart", Once, Json => Acknowledged, bare(Acknowledged::TYPE);
    path {
        /// The computer's id.
        id,
    }
    fields {}
}
