// The workloads of the benchmark of the live screen.

export const VARIANTS = ["sdk", "noVNC"];

/** The workloads by name: the kind of measurement, and its settings. `quick` is a smaller size for tests. */
export const workloads = (quick = false) => {
  const size = (full, small) => (quick ? small : full);
  const live = (scene, resolution = "1280x720x24") => ({
    ...{ kind: "live", scene, resolution },
    ...{ warmUp: size(1_000, 200), duration: size(3_000, 500) },
  });
  const flood = (scene, updates) => ({ kind: "flood", scene, updates: size(updates, 5) });
  const latency = (input) => ({ kind: "latency", input, events: size(30, 3) });
  return {
    "scroll, 1280x720": live("scroll"),
    "scroll, 1920x1080": live("scroll", "1920x1080x24"),
    "text, video and windows": live("mix"),
    "video, 640x360": live("video"),
    "small changes": live("small"),
    "flood of video, 1280x720": flood("full-screen video", 40),
    "flood of scrolling, 1280x720": flood("scroll", 300),
    "latency of typing": latency("key"),
    "latency of dragging a window": latency("pointer"),
  };
};
