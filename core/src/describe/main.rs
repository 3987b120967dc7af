//! Writes the derived files, or with `--check` says which of them are stale.

use std::path::Path;
use std::process::ExitCode;

use orgo_core::describe;

fn main() -> ExitCode {
    let check = std::env::args().any(|argument| argument == "--check");
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let files = [
        ("npm/src/generated/types.ts", describe::types()),
        ("npm/src/generated/operations.ts", describe::operations()),
        ("npm/src/generated/channels.ts", describe::channels()),
        ("docs/reference.md", describe::reference()),
    ];
    let mut stale = false;
    for (path, text) in files {
        let file = root.join(path);
        if check {
            if std::fs::read_to_string(&file).ok().as_deref() != Some(&text) {
                eprintln!("{path} is stale: run `npm run types` and commit it");
                stale = true;
            }
        } else if let Err(error) =
            file.parent().map_or(Ok(()), std::fs::create_dir_all).and_then(|()| std::fs::write(&file, text))
        {
            eprintln!("{path}: {error}");
            return ExitCode::FAILURE;
        }
    }
    if stale { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
