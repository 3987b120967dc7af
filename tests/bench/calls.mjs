// Calls through the package, and the same by a plain fetch.

/** The two calls through a client. */
export function throughClient(orgo, id) {
  const computer = orgo.computer(id);
  return {
    click: () => computer.click({ x: 640, y: 360 }),
    screenshot: async () => (await computer.screenshot()).data,
  };
}

/** The two calls by fetch, as far as a program without the package has to go: to the result, to the picture's bytes. */
export function throughFetch({ baseUrl, apiKey }, id) {
  const headers = { authorization: `Bearer ${apiKey}`, "content-type": "application/json" };
  const answer = async (path, init) => {
    const response = await fetch(`${baseUrl}/computers/${id}/${path}`, { headers, ...init });
    if (!response.ok) throw new Error(`${path}: ${response.status}`);
    return response.json();
  };
  return {
    click: () => answer("click", { method: "POST", body: '{"x":640,"y":360}' }),
    screenshot: async () => bytes((await answer("screenshot?response_format=base64")).image),
  };
}

function bytes(base64) {
  if (typeof Buffer !== "undefined") return Buffer.from(base64, "base64");
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}
