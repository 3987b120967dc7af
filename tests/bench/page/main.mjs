import { Orgo } from "orgo-sdk";
import { throughClient, throughFetch } from "../calls.mjs";
import { timeKeystrokes } from "../keystrokes.mjs";
import { interleave } from "../measure.mjs";

/** Runs the measurements of run.mjs in this page. */
globalThis.measure = async ({ options, id, rounds, keystrokes }) => {
  const orgo = new Orgo({ ...options, dangerouslyAllowBrowser: true });
  const [wasm, plain] = [throughClient(orgo, id), throughFetch(options, id)];
  return {
    click: await interleave({ wasm: wasm.click, fetch: plain.click }, rounds),
    screenshot: await interleave({ wasm: wasm.screenshot, fetch: plain.screenshot }, rounds),
    keystroke: { wasm: await timeKeystrokes(orgo.computer(id), keystrokes) },
  };
};
