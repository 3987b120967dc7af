const SECRET = /password|token|secret/i;

/**
 * Takes secrets out of sight, at any depth: they can still be read by their name, but `console.log`, `util.inspect`
 * (also with `showHidden`), `JSON.stringify`, spreading and enumeration pass them over. Changes the value in place.
 */
export function hideSecrets<T>(value: T): T {
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return value;
  for (const [name, inner] of Object.entries(value)) {
    if (SECRET.test(name)) {
      Object.defineProperty(value, name, { get: () => inner, enumerable: false });
    } else {
      hideSecrets(inner);
    }
  }
  return value;
}
