// A virtual audio output device, for browsers that need one.
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { until } from "./wait.mjs";

/**
 * Starts a PulseAudio server with a null sink.
 *
 * @returns {Promise<{ environment: Record<string, string>, stop(): Promise<void> }>} a program with this
 *   `environment` uses the server
 */
export async function startAudioDevice() {
  const folder = mkdtempSync(join(tmpdir(), "orgo-audio-device-"));
  const socket = join(folder, "native");
  const modules = ["module-null-sink", `module-native-protocol-unix socket=${socket} auth-anonymous=1`];
  const child = spawn(
    "pulseaudio",
    ["--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no", "-n", ...modules.flatMap((module) => ["-L", module])],
    { env: { ...process.env, HOME: folder, XDG_RUNTIME_DIR: folder }, stdio: "ignore" },
  );
  const ended = new Promise((resolve, reject) => child.once("exit", resolve).once("error", reject));
  await Promise.race([ended, until("PulseAudio", () => existsSync(socket))]);
  return {
    environment: { PULSE_SERVER: `unix:${socket}` },
    async stop() {
      child.kill();
      await ended;
      rmSync(folder, { recursive: true });
    },
  };
}
