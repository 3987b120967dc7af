// Reads the progress of cargo and apt-get from their output.

/** The variables that make cargo print its progress although its output is not a terminal. */
export const CARGO_PROGRESS = { CARGO_TERM_PROGRESS_WHEN: "always", CARGO_TERM_PROGRESS_WIDTH: "100" };

/** Returns the progress that a line of output reports, such as `12/215`, or `undefined` for other lines. */
export function readProgress(line) {
  const cargo = /^\s*(?:Building|Downloading)\b.*?(\d+\/\d+)/.exec(line);
  if (cargo) return cargo[1];
  const apt = /^(?:Unpacking|Setting up) (\S+)/.exec(line);
  return apt?.[1];
}
