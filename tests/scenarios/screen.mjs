import { equal } from "./check.mjs";

export async function screenshotShowsTheScreen({ computer, decode }) {
  const shot = await computer.screenshot();
  equal(shot.mime_type, "image/png", "its type");
  equal(shot.width, 1280, "the width that it says");
  equal(shot.height, 720, "the height that it says");
  const picture = await decode(shot.data, shot.mime_type);
  equal(picture.width, 1280, "the width of the picture");
  equal(picture.height, 720, "the height of the picture");

  const small = await computer.screenshot({ format: "jpeg", scale: 0.5 });
  equal([small.mime_type, small.width, small.height].join(), "image/jpeg,640,360", "a smaller one");
}
