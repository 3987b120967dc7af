// The projects of `pages.test.mjs`, and the ways to use each of them.

/**
 * @typedef {object} Mode
 * @property {string} mode the name
 * @property {boolean} [quick] whether `npm test` runs the mode; `npm run test:full` runs all
 * @property {string[][]} [build] the commands that build the project
 * @property {Record<string, string>} [output] the files of the output. They are copied to a different folder, and used there
 *   after the project was moved away
 * @property {(port: string) => string[]} [start] returns the command that starts the server; default: the folder is served
 *   with a strict Content-Security-Policy
 * @property {Record<string, string>} [env] additional variables for these commands
 * @property {object} [serve] the options of `startPages`
 * @property {string} [page] the path of the page
 * @property {string[]} [server] the paths of routes whose code uses the package on the server
 * @property {boolean} [action] whether the page has a server action
 * @property {{ transport?: string, violations?: string[], server?: string }} [expected]
 */

/** The files of an output that consists of one folder and the shared page. */
const withPage = (folder = "dist") => ({ [folder]: ".", "index.html": "index.html" });

/** The Content-Security-Policy for bundlers that lose the worker and the worklet. The package then uses embedded copies. */
const BLOBS = { scripts: "'self' blob:", workers: "'self' blob:" };

const vite = (settings = {}) => ({
  modes: [
    { mode: "dev", start: (port) => ["vite", "--port", port, "--strictPort", "--host", "127.0.0.1"], page: "/", ...settings.dev },
    { mode: "build", build: [["vite", "build"]], output: { dist: "." }, page: "/", ...settings.build },
    {
      mode: "preview",
      build: [["vite", "build"]],
      start: (port) => ["vite", "preview", "--port", port, "--strictPort", "--host", "127.0.0.1"],
      page: "/",
    },
    {
      mode: 'build with base "./"',
      build: [["vite", "build", "--base", "./"]],
      output: { dist: "a/b" },
      page: "/a/b/index.html",
    },
  ],
});

const nuxt = {
  code: "lib",
  modes: [
    { mode: "dev", start: (port) => ["nuxt", "dev", "--port", port, "--host", "127.0.0.1"], page: "/", server: ["/api/orgo"] },
    {
      mode: "build",
      build: [["nuxt", "build"]],
      output: { ".output": "." },
      start: () => ["node", "server/index.mjs"],
      page: "/",
      server: ["/api/orgo"],
    },
  ],
};

/** @param {Record<string, object>} bundlers the options of `next dev` and `next build` for each bundler */
const next = (bundlers) => ({
  code: "lib",
  modes: Object.entries(bundlers).flatMap(([bundler, { dev, build, quick }]) => {
    const used = { page: "/", action: true, server: ["/api/orgo"] };
    const start = (port) => ["next", "dev", "--port", port, "--hostname", "127.0.0.1", ...dev];
    return [
      { mode: `${bundler}, dev`, start, ...used },
      {
        mode: `${bundler}, standalone`,
        build: [["next", "build", ...build]],
        output: { ".next/standalone": ".", ".next/static": ".next/static" },
        start: () => ["node", "server.js"],
        quick,
        ...used,
      },
      { mode: `${bundler}, dev, edge route`, start, env: { EDGE: "1" }, server: ["/api/edge"], expected: { server: "wasm" } },
    ];
  }),
});

/** @type {Record<string, { code?: string, modes: Mode[] }>} */
export const PROJECTS = {
  "vite-8": vite({ build: { quick: true } }),
  "vite-7": vite({ dev: { quick: true } }),
  "vite-6": vite(),
  "vite-5": vite(),
  esbuild: {
    modes: [
      {
        mode: "ESM",
        build: [["esbuild", "main.js", "--bundle", "--format=esm", "--outdir=dist"]],
        output: withPage(),
        page: "/",
        serve: BLOBS,
      },
      {
        mode: "IIFE",
        quick: true,
        build: [["esbuild", "main.js", "--bundle", "--format=iife", "--outdir=dist-iife"]],
        output: { "dist-iife": ".", "classic.html": "index.html" },
        page: "/",
        serve: BLOBS,
      },
    ],
  },
  rollup: {
    modes: [
      {
        mode: "build",
        build: [["rollup", "main.js", "--plugin", "node-resolve={browser:true}", "--dir", "dist"]],
        output: withPage(),
        page: "/",
        serve: BLOBS,
      },
    ],
  },
  webpack: {
    modes: [
      { mode: "dev", start: (port) => ["webpack", "serve", "--mode", "development", "--port", port], page: "/" },
      { mode: "build", build: [["webpack", "--mode", "production"]], output: withPage(), page: "/" },
    ],
  },
  rspack: {
    modes: [
      { mode: "dev", start: (port) => ["rspack", "serve", "--mode", "development", "--port", port], page: "/" },
      { mode: "build", build: [["rspack", "build", "--mode", "production"]], output: withPage(), page: "/" },
    ],
  },
  rsbuild: {
    modes: [
      { mode: "dev", start: (port) => ["rsbuild", "dev", "--port", port, "--host", "127.0.0.1"], page: "/" },
      { mode: "build", build: [["rsbuild", "build"]], output: { dist: "." }, page: "/" },
    ],
  },
  parcel: {
    modes: [
      { mode: "dev", start: (port) => ["parcel", "index.html", "--port", port, "--host", "127.0.0.1"], page: "/" },
      { mode: "build", build: [["parcel", "build", "index.html"]], output: { dist: "." }, page: "/" },
    ],
  },
  bun: {
    modes: [
      {
        mode: "build",
        build: [["bun", "build", "main.js", "--target=browser", "--outdir=dist"]],
        output: withPage(),
        page: "/",
        serve: BLOBS,
      },
    ],
  },
  "sveltekit-2": {
    code: "src/lib",
    modes: [
      {
        mode: "dev",
        start: (port) => ["vite", "dev", "--port", port, "--strictPort", "--host", "127.0.0.1"],
        page: "/",
        server: ["/api/orgo"],
      },
      { mode: "build", build: [["vite", "build"]], start: () => ["node", "build"], page: "/", server: ["/api/orgo"] },
    ],
  },
  "astro-5": {
    code: "src",
    modes: [
      { mode: "dev", start: (port) => ["astro", "dev", "--port", port, "--host", "127.0.0.1"], page: "/", server: ["/api/orgo"] },
      {
        mode: "build",
        build: [["astro", "build"]],
        start: () => ["node", "dist/server/entry.mjs"],
        page: "/",
        server: ["/api/orgo"],
      },
    ],
  },
  "nuxt-3": nuxt,
  "nuxt-4": nuxt,
  "next-15": next({ Turbopack: { dev: ["--turbopack"], build: ["--turbopack"] }, webpack: { dev: [], build: [] } }),
  "next-16": next({ Turbopack: { dev: [], build: [], quick: true }, webpack: { dev: ["--webpack"], build: ["--webpack"] } }),
};
