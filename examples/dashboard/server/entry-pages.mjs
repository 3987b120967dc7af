// Small pages without other files, which are not served to a browser without the cookie.

const STYLE = `
  :root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
  body { max-width: 34rem; margin: 12vh auto; padding: 0 1.5rem; }
  h1 { font-size: 1.4rem; line-height: 1.25; }
  code { padding: 0.1em 0.3em; border-radius: 4px; background: #8883; font-size: 0.95em; }
`;

/** Shown to a browser that has no valid key. */
export const KEY_REQUIRED_PAGE = page(
  `<h1>Open the dashboard with its printed address</h1>
<p>The dashboard opens only with the key of its current start. The key is part of the address that
<code>npm start</code> printed in its terminal, on the line that begins with <code>Dashboard:</code>.</p>
<p>If the dashboard was restarted, open the newly printed address. Those of earlier starts no longer work.</p>`,
);

/**
 * Redirects to the dashboard. If another site or a file starts a navigation, a browser sends no strict cookie, also
 * not after an HTTP redirect. A refresh starts a new navigation, which belongs to this site.
 */
export const ENTRY_PAGE = page(`<p><a href="/">Open the dashboard</a></p>`, `<meta http-equiv="refresh" content="0; url=/" />`);

function page(body, head = "") {
  return Buffer.from(`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8" />
<meta name="viewport" content="width=device-width, initial-scale=1" />
<title>Orgo dashboard</title>
<style>${STYLE}</style>
${head}
</head>
<body>
${body}
</body>
</html>
`);
}
