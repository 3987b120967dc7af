// The page of the benchmark. It contains the workloads, each through this package and as a program writes it without the package.
import "@xterm/xterm/css/xterm.css";

const KEY = "sk_bench";
const CLICK = { x: 640, y: 360 };

/** How much text xterm.js may have to process before this page waits for it, in characters. */
const UNPROCESSED = 256 << 10;

/** Prepares the work of a variant, warms it up, and returns it. Loads only the code that the variant needs. */
globalThis.prepare = async (workload, variant, origin, settings) => {
  globalThis.work = await prepared[workload][variant](origin, settings);
};

async function repeat(count, parallel, action) {
  let left = count;
  const runner = async () => {
    while (left-- > 0) await action();
  };
  await Promise.all(Array.from({ length: parallel }, runner));
  return { operations: count, lost: 0 };
}

/** Returns the work of repeating an action, after a few repetitions that open connections and compile code. */
async function repeated({ count, warmUp, parallel = 1 }, action) {
  await repeat(warmUp, parallel, action);
  return () => repeat(count, parallel, action);
}

async function sdkComputer(origin, socket = "1/1/0") {
  const { Orgo } = await import("orgo-sdk");
  const realtimeUrl = `ws://${origin}/ws/${socket}/{computer_id}/{channel}`;
  return new Orgo({ apiKey: KEY, baseUrl: `http://${origin}/api`, realtimeUrl, dangerouslyAllowBrowser: true }).computer("c1");
}

const headers = { authorization: `Bearer ${KEY}`, "content-type": "application/json" };

async function request(origin, path, init) {
  const response = await fetch(`http://${origin}/api/computers/c1/${path}`, { headers, ...init });
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return response.json();
}

const screenshot = (origin) => request(origin, "screenshot?response_format=base64");

const click = {
  async sdk(origin, settings) {
    const computer = await sdkComputer(origin);
    return repeated(settings, () => computer.click(CLICK));
  },
  fetch: (origin, settings) =>
    repeated(settings, () => request(origin, "click", { method: "POST", body: JSON.stringify(CLICK) })),
};

/** Draws a screenshot, and checks that it has its size. */
async function draw(data, type) {
  const image = await createImageBitmap(new Blob([data], { type }));
  if (image.width !== 640) throw new Error(`a screenshot with a width of ${image.width}`);
  document.querySelector("#canvas").getContext("2d").drawImage(image, 0, 0);
  image.close();
}

const base64 = (dataUrl) => dataUrl.slice(dataUrl.indexOf(",") + 1);

/** Takes screenshots and draws them. */
const pixels = {
  async sdk(origin, settings) {
    const computer = await sdkComputer(origin);
    return repeated(settings, async () => {
      const { data, mime_type } = await computer.screenshot();
      await draw(data, mime_type);
    });
  },
  atob: (origin, settings) =>
    repeated(settings, async () => {
      const { image } = await screenshot(origin);
      await draw(
        Uint8Array.from(atob(base64(image)), (character) => character.charCodeAt(0)),
        "image/png",
      );
    }),
  // Browsers have this function since 2024 and 2025.
  fromBase64: (origin, settings) =>
    repeated(settings, async () => {
      const { image } = await screenshot(origin);
      await draw(Uint8Array.fromBase64(base64(image)), "image/png");
    }),
  dataUrl: (origin, settings) =>
    repeated(settings, async () => {
      const image = new Image();
      image.src = (await screenshot(origin)).image;
      await image.decode();
      document.querySelector("#canvas").getContext("2d").drawImage(image, 0, 0);
    }),
};

async function openView() {
  const { Terminal } = await import("@xterm/xterm");
  const view = new Terminal({ cols: 120, rows: 40 });
  view.open(document.querySelector("#terminal"));
  return view;
}

/** Receives output and shows it in xterm.js. */
const terminal = {
  async sdk(origin, { size, count }) {
    const view = await openView();
    const channel = await (await sdkComputer(origin, `${count}/${size}/0`)).terminal();
    return async () => {
      channel.write("go");
      let left = size * count;
      let unprocessed = 0;
      for await (const text of channel) {
        left -= text.length;
        unprocessed += text.length;
        if (unprocessed < UNPROCESSED && left > 0) {
          view.write(text);
          continue;
        }
        // Backpressure: reads more only after xterm.js has processed this text.
        await new Promise((resolve) => view.write(text, resolve));
        unprocessed = 0;
        if (left <= 0) break;
      }
      return { operations: count, lost: left };
    };
  },
  async WebSocket(origin, { size, count }) {
    const view = await openView();
    const socket = new WebSocket(`ws://${origin}/ws/${count}/${size}/0/c1/terminal?token=pass`);
    await new Promise((resolve, reject) => {
      socket.onopen = resolve;
      socket.onerror = reject;
    });
    socket.send('{"type":"ping"}');
    return () =>
      new Promise((resolve) => {
        let left = size * count;
        socket.onmessage = ({ data }) => {
          const message = JSON.parse(data);
          if (message.type !== "output") return;
          left -= message.data.length;
          view.write(message.data, left <= 0 ? () => resolve({ operations: count, lost: left }) : undefined);
        };
        socket.send('{"type":"input","data":"go"}');
      });
  },
};

const prepared = { click, pixels, terminal };
