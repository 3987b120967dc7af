// The secrets of these tests, and every form in which one can show. It runs in Node and in pages.

/** Each has characters that URLs, forms and JSON escape, as far as its kind may have them. */
export const SECRETS = {
  apiKey: 'sk_live_S3cr3t/Key+1="',
  password: "p@ss w/ord%+é",
  signature: "c2lnbmF0dXJl+z8/Q==",
  header: "h3ad3r/s3cr3t+0",
};

/** As servers, platforms and libraries write it. */
export function escaped(secret) {
  const url = encodeURIComponent(secret);
  const json = JSON.stringify(secret).slice(1, -1);
  const ascii = [...secret].map((c) => (c > "~" ? `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}` : c)).join("");
  return unique([
    secret,
    url,
    url.replace(/%../g, (code) => code.toLowerCase()),
    url.replaceAll("%20", "+"),
    encodeURI(secret),
    json,
    json.replaceAll("/", "\\/"),
    ascii,
  ]);
}

/** In base64 a secret has three forms, by how many bytes stand before it; the characters at its ends belong to them too. */
function inBase64(secret) {
  const bytes = new TextEncoder().encode(secret);
  return [0, 1, 2].flatMap((before) => {
    const whole = btoa(String.fromCharCode(...new Uint8Array(before), ...bytes));
    const own = whole.slice(Math.ceil((before * 8) / 6), Math.floor(((before + bytes.length) * 8) / 6));
    return [own, own.replaceAll("+", "-").replaceAll("/", "_")];
  });
}

const unique = (forms) => [...new Set(forms)];

const FORMS = Object.entries(SECRETS).flatMap(([name, secret]) =>
  unique([...escaped(secret), ...escaped(JSON.stringify(secret).slice(1, -1)), ...inBase64(secret)]).map((form) => [name, form]),
);

/** The secrets that show in a text: their names and forms. */
export function findSecrets(text) {
  return FORMS.filter(([, form]) => text.includes(form)).map(([name, form]) => `${name} as ${form}`);
}
