// The workloads of the benchmark of the live screen.

export const VARIANTS = ["sdk", "noVNC"];

/** A page without a screen, in which a worker draws a small square on an `OffscreenCanvas`: the least that a page needs for frames. */
export const CANVAS = "canvas";

/** The workloads by name: the kind of measurement, and its settings. `quick` is a smaller size for tests. */
export const workloads = (quick = false) => {
  const size = (full, small) => (quick ? small : full);
  // `rate`: the number of frames per second of the bare canvas.
  const live = (scene, rate, resolution = "1280x720x24") => ({
    ...{ kind: "live", scene, rate, resolution },
    ...{ warmUp: size(1_000, 200), duration: size(3_000, 500) },
  });
  const flood = (scene, updates) => ({ kind: "flood", scene, updates: size(updates, 5) });
  const latency = (input) => ({ kind: "latency", input, events: size(30, 3) });
  return {
    "scroll, 1280x720": live("scroll", 60),
    "scroll, 1920x1080": live("scroll", 60, "1920x1080x24"),
    "text, video and windows": live("mix", 46),
    "video, 640x360": live("video", 31),
    "small changes": live("small", 31),
    "flood of video, 1280x720": flood("full-screen video", 40),
    "flood of scrolling, 1280x720": flood("scroll", 300),
    "latency of typing": latency("key"),
    "latency of dragging a window": latency("pointer"),
  };
};
