import type { ITheme } from "@xterm/xterm";

const LIGHT: ITheme = {
  background: "#ffffff",
  foreground: "#1b2028",
  cursor: "#3d5af1",
  cursorAccent: "#ffffff",
  selectionBackground: "#c9d3ff",
  black: "#1b2028",
  red: "#b3261e",
  green: "#157347",
  yellow: "#8a5a00",
  blue: "#2f49d1",
  magenta: "#8b3fb0",
  cyan: "#0b7285",
  white: "#8892a0",
  brightBlack: "#5a6472",
  brightRed: "#d33a30",
  brightGreen: "#1c8f59",
  brightYellow: "#a86e00",
  brightBlue: "#3d5af1",
  brightMagenta: "#a354c9",
  brightCyan: "#1089a0",
  brightWhite: "#3a4250",
};

const DARK: ITheme = {
  background: "#161a21",
  foreground: "#e1e5ec",
  cursor: "#8ea1ff",
  cursorAccent: "#161a21",
  selectionBackground: "#3a4675",
  black: "#2a303b",
  red: "#ff8a80",
  green: "#6fd59b",
  yellow: "#f0c060",
  blue: "#8ea1ff",
  magenta: "#d29bf0",
  cyan: "#6fd3e0",
  white: "#c3cad6",
  brightBlack: "#6b7686",
  brightRed: "#ffa9a2",
  brightGreen: "#92e6b5",
  brightYellow: "#f7d48a",
  brightBlue: "#adbaff",
  brightMagenta: "#e2bcf7",
  brightCyan: "#98e4ee",
  brightWhite: "#f4f6fa",
};

/** Calls `apply` with the colors for the color scheme of the page, now and whenever it changes. */
export function watchColorScheme(apply: (theme: ITheme) => void): void {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const update = () => apply(dark.matches ? DARK : LIGHT);
  dark.addEventListener("change", update);
  update();
}
