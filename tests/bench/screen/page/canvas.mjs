// Draws a small square on a canvas of the page, at a constant rate.
addEventListener("message", ({ data: { canvas, rate } }) => {
  const context = canvas.getContext("2d", { alpha: false });
  const square = new ImageData(24, 24);
  let frame = 0;
  setInterval(() => {
    frame += 1;
    square.data.fill((37 * frame) % 256);
    context.putImageData(square, 600, 300);
  }, 1000 / rate);
});
