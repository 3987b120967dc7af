import { equal } from "./check.mjs";

export async function capturesScreen({ computer, decode }) {
  const shot = await computer.screenshot();
  equal(shot.mime_type, "image/png", "its MIME type");
  equal(shot.width, 1280, "the width of the screenshot");
  equal(shot.height, 720, "the height of the screenshot");
  const image = await decode(shot.data, shot.mime_type);
  equal(image.width, 1280, "the width of the image");
  equal(image.height, 720, "the height of the image");

  const small = await computer.screenshot({ format: "jpeg", scale: 0.5 });
  equal([small.mime_type, small.width, small.height].join(), "image/jpeg,640,360", "a smaller screenshot");
}
