import { equal, ok } from "./check.mjs";

export async function codeIsRun({ computer }) {
  const command = await computer.bash("printf 'out\\n'; printf 'err: ü\\n' >&2; exit 3");
  equal(command.output, "out\nerr: ü\n", "what a command printed");
  equal(command.exit_code, 3, "its exit code");
  ok(command.success, "a command that ran is no success");

  const program = await computer.exec("print(sum(range(10)))");
  equal(program.output, "45\n", "what a program printed");
  equal(program.success, true, "whether it ran to its end");

  const failed = await computer.exec("print('before'); {}['key']");
  equal(failed.success, false, "whether a program that fails ran to its end");
  equal(failed.error_type, "KeyError", "its exception");

  const endless = await computer.exec("while True: pass", { timeout: 1 });
  equal(endless.timeout, true, "whether the time of an endless program ran out");
  equal(endless.success, false, "whether it ran to its end");

  const waited = await computer.wait(0.1);
  ok(waited.success, "waiting is no success");
}
