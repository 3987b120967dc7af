// Reads the progress of cargo and apt-get from their output.

/** The variables that make cargo print its progress although its output is not a terminal. */
export const CARGO_PROGRESS = { CARGO_TERM_PROGRESS_WHEN: "always", CARGO_TERM_PROGRESS_WIDTH: "100" };

/**
 * Returns the command that runs apt-get so that it also prints its progress, in a format for programs. apt-get closes the
 * descriptor of the progress in its children, so it must not be their standard output.
 */
export function aptWithProgress(args) {
  return ["sh", ["-c", 'exec apt-get -o APT::Status-Fd=3 "$@" 3>&1', "apt-get", ...args]];
}

/** Returns the progress that a line of output reports, such as `12/215` or `installing 31 %`, or `undefined` for other lines. */
export function readProgress(line) {
  const cargo = /^\s*Building\b.*?(\d+\/\d+)/.exec(line);
  if (cargo) return cargo[1];
  if (/^\s*Downloading \d+ crates?/.test(line)) return "downloading crates";
  const apt = /^(dl|pm)status:[^:]*:(\d+)[\d.]*:/.exec(line);
  return apt ? `${apt[1] === "dl" ? "downloading" : "installing"} ${apt[2]} %` : undefined;
}
