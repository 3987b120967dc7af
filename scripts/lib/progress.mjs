// Reads the progress of cargo and apt-get from their output.

/** The variables that make cargo print its progress although its output is not a terminal. */
export const CARGO_PROGRESS = { CARGO_TERM_PROGRESS_WHEN: "always", CARGO_TERM_PROGRESS_WIDTH: "100" };

/** The options that make apt-get print its progress in a format for programs. */
export const APT_PROGRESS = ["-o", "APT::Status-Fd=1"];

/** Returns the progress that a line of output reports, such as `12/215` or `installing 31 %`, or `undefined` for other lines. */
export function readProgress(line) {
  const cargo = /^\s*(?:Building|Downloading)\b.*?(\d+\/\d+)/.exec(line);
  if (cargo) return cargo[1];
  const apt = /^(dl|pm)status:[^:]*:(\d+)[\d.]*:/.exec(line);
  return apt ? `${apt[1] === "dl" ? "downloading" : "installing"} ${apt[2]} %` : undefined;
}
