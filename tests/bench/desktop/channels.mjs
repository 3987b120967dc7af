// Measures the throughput of a terminal and the delay of audio.
import { median, quantile } from "../measure.mjs";

const FLOOD_MB = 64;

/** Measures the throughput of terminal output, from a program that prints continuously to the client. */
export async function timeFlood(computer) {
  const terminal = await computer.channel("terminal", { cols: 200 });
  const line = `${"flood ".repeat(30)}\n`;
  await computer.bash(`yes '${line.trim()}' | head -c ${FLOOD_MB}M > /tmp/flood`);
  const input = (data) => terminal.send({ type: "input", data });
  let text = "";
  const shows = (wanted) =>
    terminal.find(({ type, data }) => {
      text = type === "output" ? text.slice(-100) + data : text;
      return text.includes(wanted);
    });
  input("stty -onlcr; echo rea''dy\r");
  await shows("ready\n");
  const began = performance.now();
  input("cat /tmp/flood; echo en''d\r");
  await shows("end\n");
  const seconds = (performance.now() - began) / 1000;
  terminal.close();
  return [{ what: "continuous output of a terminal", "MB/s": Number((FLOOD_MB / seconds).toFixed(1)) }];
}

/** A program that plays silence with periodic beeps of 10 ms, and prints the time at which it writes each beep. */
const PLAYER = `
import subprocess, sys, time
RATE, EVERY = 48000, 50
player = subprocess.Popen(["pacat", "--raw", "--format=s16le", "--rate=48000", "--channels=1", "--latency-msec=20"],
    stdin=subprocess.PIPE)
silence, beep = bytes(RATE // 100 * 2), b"\\x00\\x40" * (RATE // 100)
began = time.monotonic()
for n in range(EVERY, EVERY * (int(sys.argv[1]) + 1)):
    time.sleep(max(0, began + (n - EVERY) / 100 - time.monotonic()))
    audible = n % EVERY == EVERY - 1
    if audible:
        print(time.time() * 1000, flush=True)
    player.stdin.write(beep if audible else silence)
    player.stdin.flush()
player.stdin.close()
player.wait()
`;

/** Measures the time from when a program writes audio until the audio arrives at the client, in milliseconds. */
export async function timeAudio(computer, beeps) {
  const audio = await computer.channel("audio");
  await audio.find(({ type }) => type === "started");
  await computer.bash(
    `cat > /tmp/player.py <<'PROGRAM'${PLAYER}PROGRAM\nsetsid python3 /tmp/player.py ${beeps} > /tmp/played 2> /dev/null &`,
  );
  const arrived = [];
  let loud = false;
  while (arrived.length < beeps) {
    const samples = await audio.bytes();
    const isLoud = samples.some((_byte, at) => at % 2 === 1 && Math.abs(samples.readInt8(at)) > 8);
    if (isLoud && !loud) arrived.push(performance.timeOrigin + performance.now());
    loud = isLoud;
  }
  audio.close();
  const played = (await computer.bash("cat /tmp/played")).trim().split("\n").map(Number);
  const delays = arrived.map((time, at) => time - played[at]);
  return [
    {
      what: "audio, from its program to the client",
      "median ms": Number(median(delays).toFixed(1)),
      "p95 ms": Number(quantile(delays, 0.95).toFixed(1)),
    },
  ];
}
