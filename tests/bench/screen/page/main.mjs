// The page of the benchmark. It shows a live screen, through this package or through an unchanged noVNC.
const element = document.querySelector("#screen");

/** Loads the code of a variant and, for this package, connects. `show` starts to draw. */
globalThis.open = async (variant, source, { width, height }) => {
  Object.assign(element.style, { width: `${width}px`, height: `${height}px` });
  globalThis.show = await variants[variant](source, { width, height });
};

const variants = {
  async sdk(connection) {
    const { Orgo } = await import("orgo-sdk");
    const screen = await Orgo.connect(connection).screen();
    return () => screen.attach(element).focus();
  },
  async noVNC({ realtime_url, instance_id, password }) {
    const { default: RFB } = await import("@novnc/novnc");
    const url = realtime_url.replace("{instance_id}", instance_id).replace("{channel}", "websockify");
    return async () => {
      const socket = lossless(new WebSocket(`${url}?token=${encodeURIComponent(password)}`));
      const rfb = new RFB(element, socket, { credentials: { password } });
      await new Promise((resolve, reject) => {
        rfb.addEventListener("connect", resolve);
        rfb.addEventListener("disconnect", () => reject(new Error("noVNC has disconnected")));
      });
      rfb.focus();
    };
  },
  canvas(rate, size) {
    const worker = new Worker(new URL("./canvas.mjs", import.meta.url), { type: "module" });
    const canvas = Object.assign(document.createElement("canvas"), size);
    return () => {
      element.append(canvas);
      const offscreen = canvas.transferControlToOffscreen();
      worker.postMessage({ canvas: offscreen, rate }, [offscreen]);
    };
  },
};

/** The lowest and the highest level of JPEG quality. */
const QUALITY = [-32, -23];

/**
 * Removes the level of JPEG quality from the message with the encodings, because noVNC has no option for exact pixels. Without a
 * level, the server sends no JPEG.
 */
function lossless(socket) {
  const send = socket.send.bind(socket);
  socket.send = (data) => send(isEncodings(data) ? withoutQuality(data) : data);
  return socket;
}

const isEncodings = (data) => data[0] === 2 && data.length === 4 + 4 * ((data[2] << 8) | data[3]) && data.length > 16;

function withoutQuality(data) {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const all = Array.from({ length: (data.length - 4) / 4 }, (_, at) => view.getInt32(4 + 4 * at));
  const kept = all.filter((encoding) => encoding < QUALITY[0] || encoding > QUALITY[1]);
  const message = new DataView(new ArrayBuffer(4 + 4 * kept.length));
  message.setUint8(0, 2);
  message.setUint16(2, kept.length);
  for (const [at, encoding] of kept.entries()) message.setInt32(4 + 4 * at, encoding);
  return new Uint8Array(message.buffer);
}

/** Starts the replay of a recording. Returns the time. */
globalThis.replay = async (url) => {
  const start = now();
  await fetch(url);
  return start;
};

/** Returns the SHA-256 of the shown pixels. */
globalThis.hash = async () => {
  const { width, height } = element.querySelector("canvas");
  const copy = new OffscreenCanvas(width, height).getContext("2d");
  copy.drawImage(element.querySelector("canvas"), 0, 0);
  const digest = await crypto.subtle.digest("SHA-256", copy.getImageData(0, 0, width, height).data);
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
};

/** Notes the times at which the page receives events. */
globalThis.noteEvents = (name) => {
  const times = [];
  window.addEventListener(name, () => times.push(now()), { capture: true });
  globalThis.noted = times;
};

/** Blocks the page for a part of each interval, in milliseconds. */
globalThis.block = (duration, interval) => {
  const timer = setInterval(() => {
    const end = performance.now() + duration;
    while (performance.now() < end);
  }, interval);
  globalThis.unblock = () => clearInterval(timer);
};

const now = () => performance.timeOrigin + performance.now();
