export interface Point {
  x: number;
  y: number;
}

export interface Size {
  width: number;
  height: number;
}

export interface Rectangle extends Point, Size {}

/** Centers an image in a box and scales it to fit, like `object-fit: contain`. */
export function fit(image: Size, box: Rectangle): Rectangle {
  const scale = Math.min(box.width / image.width, box.height / image.height);
  const [width, height] = [image.width * scale, image.height * scale];
  return { x: box.x + (box.width - width) / 2, y: box.y + (box.height - height) / 2, width, height };
}

/** Returns whether a point is inside a rectangle. Both are in page coordinates. */
export function isInside({ x, y }: Point, { x: left, y: top, width, height }: Rectangle): boolean {
  return x >= left && x < left + width && y >= top && y < top + height;
}

/**
 * Returns the pixel of an image under a point of the page, or the nearest pixel if the point is outside the image.
 *
 * @param shown the position of the image on the page
 * @param image the size of the image in pixels
 */
export function pixelAt(point: Point, shown: Rectangle, image: Size): Point {
  const along = (at: number, start: number, length: number, pixels: number) =>
    Math.min(Math.max(Math.floor(((at - start) / length) * pixels), 0), pixels - 1);
  return {
    x: along(point.x, shown.x, shown.width, image.width),
    y: along(point.y, shown.y, shown.height, image.height),
  };
}
