import { equal, ok } from "./check.mjs";

export async function runsCommandsAndCode({ computer }) {
  const command = await computer.bash("printf 'out\\n'; printf 'err: ü\\n' >&2; exit 3");
  equal(command.output, "out\nerr: ü\n", "the output of a command");
  equal(command.exit_code, 3, "its exit code");
  ok(command.success, "success is false after a command ran");

  const program = await computer.exec("print(sum(range(10)))");
  equal(program.output, "45\n", "the output of a program");
  equal(program.success, true, "its success");

  const failed = await computer.exec("print('before'); {}['key']");
  equal(failed.success, false, "the success of a failing program");
  equal(failed.error_type, "KeyError", "its exception");

  const endless = await computer.exec("while True: pass", { timeout: 1 });
  equal(endless.timeout, true, "whether an endless program timed out");
  equal(endless.success, false, "its success");

  const waited = await computer.wait(0.1);
  ok(waited.success, "the success of a wait");
}
