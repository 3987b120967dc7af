// The projects of `pages.test.mjs`, and the ways to use each of them.

/**
 * @typedef {object} Mode
 * @property {string} mode the name
 * @property {boolean} [quick] whether `npm test` runs the mode; `npm run test:full` runs all
 * @property {Record<string, string>} [files] files of the project that are copied before the mode and the following ones
 * @property {string[][]} [build] the commands that build the project
 * @property {Record<string, string>} [output] the files of the output. They are copied to a different folder, and used there
 *   after the project was moved away
 * @property {(port: string, env: Record<string, string>) => string[]} [start] returns the command that starts the server; default: the folder is served
 *   with a strict Content-Security-Policy
 * @property {Record<string, string>} [env] additional variables for these commands
 * @property {object} [serve] the options of `startPages`
 * @property {string} [page] the path of the page
 * @property {string[]} [server] the paths of routes whose code uses the package on the server
 * @property {boolean} [action] whether the page has a server action
 * @property {Record<string, string>} [cdn] the files that a server on another origin sends
 * @property {boolean} [extension] whether the output is an extension of the browser
 * @property {Expected} [expected]
 *
 * @typedef {object} Expected
 * @property {string} [transport] how audio is played; default: `port`
 * @property {string} [screen] what draws the screen; default: `worker`
 * @property {boolean} [embedded] whether the package uses embedded copies of the files that it loads on demand
 * @property {number} [blobs] the number of embedded scripts that the page uses; default: 3 if `embedded`, otherwise 0
 * @property {RegExp[]} [violations] the violations of the Content-Security-Policy
 * @property {RegExp} [error] the error of the page, which replaces all other results
 * @property {string} [server] the binding of the server; default: `native`
 * @property {string} [action] the binding of a server action; default: that of the server
 */

/** The files of an output that consists of one folder and the shared page. */
const withPage = (folder = "dist") => ({ [folder]: ".", "index.html": "index.html" });

/** The origin of the extension, which Chromium derives from the key in its manifest. */
export const EXTENSION = "chrome-extension://kfhpcbdocfhkkdojakeenaikhjmpjlak";

/** The Content-Security-Policy for bundlers that lose the worker and the worklet. The package then uses embedded copies. */
const BLOBS = { scripts: "'self' 'wasm-unsafe-eval' blob:", workers: "'self' blob:" };

/** The policy for pages with an import map, which is an inline script. */
const INLINE = { scripts: "'self' 'wasm-unsafe-eval' 'unsafe-inline'" };

/** The result in a development server that prepares dependencies without the files that they load on demand. */
const OPTIMIZED = { embedded: true };

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
    ...(settings.more ?? []),
  ],
});

/** A built page under different policies. */
const POLICIES = [
  { mode: "cross-origin isolated", serve: { isolated: true }, expected: { transport: "ring" } },
  {
    mode: "`worker-src 'none'`",
    serve: { workers: "'none'" },
    // First for the file, then for its embedded copy; of the audio worker, then of the screen's.
    expected: {
      transport: "page",
      screen: "page",
      blobs: 2,
      violations: [/^worker-src http/, /^worker-src blob/, /^worker-src http/, /^worker-src blob/],
    },
  },
  {
    mode: "`require-trusted-types-for 'script'`",
    serve: { more: "require-trusted-types-for 'script'" },
    expected: { transport: "page", screen: "page", blobs: 2, violations: Array(4).fill(/^require-trusted-types-for /) },
  },
  {
    mode: "without `'wasm-unsafe-eval'`",
    serve: { scripts: "'self'" },
    expected: { error: /BindingError: .*'wasm-unsafe-eval'/ },
  },
].map((mode) => ({ build: [["vite", "build"]], output: { dist: "." }, page: "/", ...mode }));

/**
 * A web framework, with a page and a route on the server.
 *
 * @param {object} settings
 * @param {string} settings.code the folder of the shared code
 * @param {(port: string) => string[]} settings.dev the command of the development server
 * @param {string[]} settings.build
 * @param {string[]} settings.start the command of the production server
 * @param {Record<string, string>} [settings.output] the output, if it is independent of the project
 * @param {object} [settings.inDev] the expected result in the development server
 */
const framework = ({ code, dev, build, start, output, inDev, inBuild }) => ({
  code,
  modes: [
    { mode: "dev", start: dev, page: "/", server: ["/api/orgo"], expected: inDev },
    { mode: "build", build: [build], output, start: () => start, page: "/", server: ["/api/orgo"], expected: inBuild },
  ],
});

const sveltekit = (inDev) =>
  framework({
    code: "src/lib",
    dev: (port) => ["vite", "dev", "--port", port, "--strictPort", "--host", "127.0.0.1"],
    build: ["vite", "build"],
    start: ["node", "build"],
    inDev,
  });

const astro = (inDev) =>
  framework({
    code: "src",
    dev: (port) => ["astro", "dev", "--port", port, "--host", "127.0.0.1"],
    build: ["astro", "build"],
    start: ["node", "dist/server/entry.mjs"],
    inDev,
  });

const nuxt = (inDev) =>
  framework({
    code: "lib",
    dev: (port) => ["nuxt", "dev", "--port", port, "--host", "127.0.0.1"],
    build: ["nuxt", "build"],
    output: { ".output": "." },
    start: ["node", "server/index.mjs"],
    inDev,
  });

/** The local server of Cloudflare Workers, which runs the same runtime as the service. */
const wrangler =
  (script, date, ...flags) =>
  (port, env) => [
    ...["wrangler", "dev", script, "--port", port, "--ip", "127.0.0.1", "--compatibility-date", date, ...flags],
    ...["ORGO_API_KEY", "ORGO_BASE_URL", "ORGO_TEST_COMPUTER"].flatMap((name) => ["--var", `${name}:${env[name]}`]),
  ];

/** Webpack bundles the package, but not the addon. */
const WITHOUT_ADDON = { server: "wasm" };
/** Turbopack also copies the addon, but only for route handlers. */
const WITH_ADDON_IN_ROUTES = { action: "wasm" };

/**
 * @param {Record<string, object>} bundlers the options of `next dev` and `next build` for each bundler, and what is expected if
 *   it bundles the package
 */
const next = (bundlers) => {
  const used = { page: "/", action: true, server: ["/api/orgo"] };
  const start = (options) => (port) => ["next", "dev", "--port", port, "--hostname", "127.0.0.1", ...options];
  const modes = Object.entries(bundlers).flatMap(([bundler, { dev, build, quick, bundled }]) => [
    { mode: `${bundler}, dev`, start: start(dev), ...used },
    {
      mode: `${bundler}, standalone`,
      build: [["next", "build", ...build]],
      output: { ".next/standalone": ".", ".next/static": ".next/static" },
      start: () => ["node", "server.js"],
      quick,
      ...used,
      expected: bundled,
    },
    {
      mode: `${bundler}, standalone with \`serverExternalPackages\``,
      build: [["next", "build", ...build]],
      output: { ".next/standalone": ".", ".next/static": ".next/static" },
      env: { EXTERNAL: "1" },
      start: () => ["node", "server.js"],
      ...used,
    },
  ]);
  const edges = Object.entries(bundlers).map(([bundler, { dev }]) => ({
    mode: `${bundler}, dev, route of the edge runtime`,
    files: { "edge/route.js": "app/api/edge/route.js" },
    start: start(dev),
    env: { EDGE: "1" },
    server: ["/api/edge"],
    expected: { server: "wasm" },
  }));
  return { code: "lib", modes: [...modes, ...edges] };
};

/** @type {Record<string, { code?: string, modes: Mode[] }>} */
export const PROJECTS = {
  "vite-8": vite({ build: { quick: true }, more: POLICIES }),
  "vite-7": vite({ dev: { quick: true, expected: OPTIMIZED } }),
  "vite-6": vite({ dev: { expected: OPTIMIZED } }),
  "vite-5": vite({ dev: { expected: OPTIMIZED } }),
  esbuild: {
    modes: [
      {
        mode: "ESM",
        build: [["esbuild", "main.js", "--bundle", "--format=esm", "--outdir=dist"]],
        output: withPage(),
        page: "/",
        serve: BLOBS,
        expected: { embedded: true },
      },
      {
        mode: "IIFE",
        quick: true,
        build: [["esbuild", "main.js", "--bundle", "--format=iife", "--outdir=dist-iife"]],
        output: { "dist-iife": ".", "classic.html": "index.html" },
        page: "/",
        serve: BLOBS,
        expected: { embedded: true },
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
        expected: { embedded: true },
      },
    ],
  },
  angular: {
    modes: [
      { mode: "dev", start: (port) => ["ng", "serve", "--port", port, "--host", "127.0.0.1"], page: "/", expected: OPTIMIZED },
      {
        mode: "build",
        build: [["ng", "build"]],
        output: { "dist/browser": "." },
        page: "/",
        serve: BLOBS,
        expected: { embedded: true },
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
      {
        mode: "build",
        build: [["parcel", "build", "index.html", "--dist-dir", "built"]],
        output: { built: "." },
        page: "/",
        serve: INLINE,
        quick: true,
      },
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
        expected: { embedded: true },
      },
    ],
  },
  "no-bundler": {
    modes: [
      {
        mode: "import map",
        output: { "index.html": "index.html", "main.js": "main.js", "check.js": "check.js", "node_modules/orgo-sdk": "orgo-sdk" },
        page: "/",
        serve: INLINE,
        quick: true,
      },
      {
        mode: "import map, package on another origin",
        output: { "cdn.html": "index.html", "main.js": "main.js", "check.js": "check.js" },
        cdn: { "node_modules/orgo-sdk": "orgo-sdk" },
        page: "/",
        serve: {
          scripts: "'self' 'wasm-unsafe-eval' 'unsafe-inline' http://127.0.0.1:* blob:",
          workers: "'self' http://127.0.0.1:* blob:",
        },
        // A page cannot start the workers of another origin.
        expected: { blobs: 2 },
      },
    ],
  },
  "module-worker": {
    modes: [
      {
        mode: "Vite build",
        build: [["vite", "build"]],
        output: { dist: "." },
        page: "/",
        expected: { transport: undefined, samples: true, screen: "none" },
      },
    ],
  },
  "service-worker": {
    modes: [
      {
        mode: "esbuild, one file",
        quick: true,
        build: [["esbuild", "main.js", "worker.js", "--bundle", "--format=esm", "--outdir=dist"]],
        output: withPage(),
        page: "/",
        expected: { embedded: true, blobs: 0, samples: true, screen: "none" },
      },
      {
        mode: "esbuild, `--splitting`",
        quick: true,
        build: [["esbuild", "main.js", "worker.js", "--bundle", "--format=esm", "--splitting", "--outdir=dist-split"]],
        output: withPage("dist-split"),
        page: "/",
        // Service workers have no `import()`.
        expected: { embedded: true, error: /BindingError: .*bundle the service worker into one file/ },
      },
    ],
  },
  extension: {
    modes: [
      {
        mode: "Manifest V3, page and service worker",
        quick: true,
        build: [["esbuild", "main.js", "background.js", "--bundle", "--format=esm", "--outdir=dist"]],
        output: {
          ...withPage(),
          "manifest.json": "manifest.json",
          ...Object.fromEntries(
            Object.entries({
              "wasm/orgo_wasm_bg.wasm": "orgo.wasm",
              "wasm/orgo_screen_bg.wasm": "screen.wasm",
              "audio/worker.js": "worker.js",
              "audio/worklet.js": "worklet.js",
              "screen/screen-worker.js": "screen-worker.js",
            }).map(([from, to]) => [`node_modules/orgo-sdk/dist/${from}`, to]),
          ),
        },
        page: "/index.html",
        extension: true,
      },
    ],
  },
  "sveltekit-2": sveltekit(OPTIMIZED),
  "sveltekit-3": sveltekit(),
  "astro-5": astro(OPTIMIZED),
  "astro-7": astro(),
  "react-router-7": framework({
    code: "app/lib",
    dev: (port) => ["react-router", "dev", "--port", port, "--host", "127.0.0.1"],
    build: ["react-router", "build"],
    start: ["react-router-serve", "build/server/index.js"],
    inDev: OPTIMIZED,
  }),
  wrangler: {
    code: "lib",
    modes: [
      { mode: "dev", script: "worker.js", date: "2026-04-26" },
      {
        mode: "dev with `nodejs_compat`",
        script: "worker.js",
        date: "2026-04-26",
        flags: ["--compatibility-flags", "nodejs_compat"],
      },
      { mode: "dev with compatibility date 2024-01-01", script: "worker.js", date: "2024-01-01" },
      { mode: "dev with `configure`", script: "configured.js", date: "2026-04-26" },
    ].map(({ mode, script, date, flags = [] }) => ({
      mode,
      start: wrangler(script, date, ...flags),
      server: ["/"],
      expected: { server: "wasm" },
    })),
  },
  "nuxt-3": nuxt(OPTIMIZED),
  "nuxt-4": nuxt(),
  "next-15": next({
    Turbopack: { dev: ["--turbopack"], build: ["--turbopack"], bundled: WITH_ADDON_IN_ROUTES },
    webpack: { dev: [], build: [], bundled: WITHOUT_ADDON },
  }),
  "next-16": next({
    Turbopack: { dev: [], build: [], quick: true, bundled: WITH_ADDON_IN_ROUTES },
    webpack: { dev: ["--webpack"], build: ["--webpack"], bundled: WITHOUT_ADDON },
  }),
};
