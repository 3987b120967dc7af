/** Reads lines of JSON as they come. */
export async function* readLines<Line>(body: ReadableStream<Uint8Array> | null): AsyncGenerator<Line, void> {
  const reader = body?.getReader();
  const decoder = new TextDecoder();
  let text = "";
  for (let piece = await reader?.read(); piece?.value !== undefined; piece = await reader?.read()) {
    text += decoder.decode(piece.value, { stream: true });
    const lines = text.split("\n");
    text = lines.pop() ?? "";
    for (const line of lines) yield JSON.parse(line) as Line;
  }
}
