const SECRET = /password|token|secret/i;

/**
 * Makes the fields with secrets non-enumerable, at any depth. They can still be read by name, but `console.log`,
 * `util.inspect` (even with `showHidden`), `JSON.stringify`, spreading and enumeration skip them. Changes the value in
 * place.
 */
export function makeSecretsNonEnumerable<T>(value: T): T {
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return value;
  for (const name of Object.keys(value)) {
    const inner = value[name as keyof T];
    // A flag such as `has_password` is no secret.
    if (typeof inner === "boolean") continue;
    if (SECRET.test(name)) {
      // A getter, because `util.inspect` with `showHidden` does not call it.
      Object.defineProperty(value, name, { get: () => inner, enumerable: false });
    } else {
      makeSecretsNonEnumerable(inner);
    }
  }
  return value;
}
