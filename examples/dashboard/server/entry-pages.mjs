// Small self-contained pages. They use no other files, because the server does not send files to a browser without the cookie.

const STYLE = `
  :root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
  body { max-width: 34rem; margin: 12vh auto; padding: 0 1.5rem; }
  h1 { font-size: 1.4rem; line-height: 1.25; }
  code { padding: 0.1em 0.3em; border-radius: 4px; background: #8883; font-size: 0.95em; }
`;

/** The page for a browser that has neither a valid key nor a valid cookie. */
export const KEY_REQUIRED_PAGE = page(
  `<h1>Access key required</h1>
  <p>Open the URL that <code>npm start</code> printed in its terminal, on the line that begins with
  <code>Dashboard:</code>. The access key is part of this URL.</p>
  <p>Each start of the dashboard has a new key. After a restart, open the new URL.</p>`,
);

/**
 * A page that redirects to the dashboard. If another site or a file starts a navigation, browsers do not send
 * `SameSite=Strict` cookies, even after an HTTP redirect. A `meta refresh` starts a new, same-site navigation.
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
