// The calls of the benchmark, through the package and through plain `fetch`.

/** Returns functions that make the calls through the package. */
export function throughClient(orgo, id) {
  const computer = orgo.computer(id);
  return {
    click: () => computer.click({ x: 640, y: 360 }),
    screenshot: async () => (await computer.screenshot()).data,
  };
}

/** Returns functions that make the calls through `fetch`, check the status and decode the response. */
export function throughFetch({ baseUrl, apiKey }, id) {
  const headers = { authorization: `Bearer ${apiKey}`, "content-type": "application/json" };
  const request = async (path, init) => {
    const response = await fetch(`${baseUrl}/computers/${id}/${path}`, { headers, ...init });
    if (!response.ok) throw new Error(`${path}: ${response.status}`);
    return response.json();
  };
  return {
    click: () => request("click", { method: "POST", body: '{"x":640,"y":360}' }),
    screenshot: async () => bytes((await request("screenshot?response_format=base64")).image),
  };
}

function bytes(base64) {
  if (typeof Buffer !== "undefined") return Buffer.from(base64, "base64");
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}
