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
 * @property {object} [serve] the options of `startPages`
 * @property {string} [page] the path of the page
 * @property {string[]} [server] the paths of routes whose code uses the package on the server
 * @property {{ transport?: string, violations?: string[], server?: string }} [expected]
 */

const vite = (modes = {}) => ({
  modes: [
    { mode: "dev", start: (port) => ["vite", "--port", port, "--strictPort", "--host", "127.0.0.1"], page: "/", ...modes.dev },
    { mode: "build", build: [["vite", "build"]], output: { dist: "." }, page: "/", ...modes.build },
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

/** @type {Record<string, { code?: string, modes: Mode[] }>} */
export const PROJECTS = {
  "vite-8": vite({ build: { quick: true } }),
  "vite-7": vite({ dev: { quick: true } }),
  "vite-6": vite(),
  "vite-5": vite(),
};
