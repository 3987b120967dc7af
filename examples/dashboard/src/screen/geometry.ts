export interface Point {
  x: number;
  y: number;
}

export interface Size {
  width: number;
  height: number;
}

export interface Rectangle extends Point, Size {}

/** Where a picture is in a box that it is fitted into, in the middle and with its proportions. */
export function fit(picture: Size, box: Rectangle): Rectangle {
  const scale = Math.min(box.width / picture.width, box.height / picture.height);
  const [width, height] = [picture.width * scale, picture.height * scale];
  return { x: box.x + (box.width - width) / 2, y: box.y + (box.height - height) / 2, width, height };
}

/** Whether a point of the page is on the picture. */
export function isInside({ x, y }: Point, { x: left, y: top, width, height }: Rectangle): boolean {
  return x >= left && x < left + width && y >= top && y < top + height;
}

/** The pixel of the picture under a point of the page; the nearest one if the point is beside the picture. */
export function pixelAt(point: Point, shown: Rectangle, picture: Size): Point {
  const along = (at: number, start: number, length: number, pixels: number) =>
    Math.min(Math.max(Math.floor(((at - start) / length) * pixels), 0), pixels - 1);
  return {
    x: along(point.x, shown.x, shown.width, picture.width),
    y: along(point.y, shown.y, shown.height, picture.height),
  };
}
