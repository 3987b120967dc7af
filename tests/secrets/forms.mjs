// The secrets of these tests, and their encoded forms. This module runs in Node and in pages.

/** The secrets. Each contains the characters that URLs, forms and JSON escape, if the secret allows these characters. */
export const SECRETS = {
  apiKey: 'sk_live_S3cr3t/Key+1="',
  password: "p@ss w/ord%+é",
  signature: "c2lnbmF0dXJl+z8/Q==",
  header: "h3ad3r/s3cr3t+0",
};

/** Returns the escaped forms of a secret that servers, platforms and libraries may write. */
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

/**
 * Returns the base64 and base64url forms of a secret for each of the three alignments, without the characters that also depend
 * on neighboring bytes.
 */
function inBase64(secret) {
  const bytes = new TextEncoder().encode(secret);
  return [0, 1, 2].flatMap((before) => {
    const encoded = btoa(String.fromCharCode(...new Uint8Array(before), ...bytes));
    const independent = encoded.slice(Math.ceil((before * 8) / 6), Math.floor(((before + bytes.length) * 8) / 6));
    return [independent, independent.replaceAll("+", "-").replaceAll("/", "_")];
  });
}

const unique = (forms) => [...new Set(forms)];

const FORMS = Object.entries(SECRETS).flatMap(([name, secret]) =>
  unique([...escaped(secret), ...escaped(JSON.stringify(secret).slice(1, -1)), ...inBase64(secret)]).map((form) => [name, form]),
);

/** Returns the names and forms of the secrets that a text contains. */
export function findSecrets(text) {
  return FORMS.filter(([, form]) => text.includes(form)).map(([name, form]) => `${name} as ${form}`);
}
