// The page that provokes errors and log lines. The test file calls the function of this page.
import * as sdk from "orgo-sdk";
import { allTexts, provoke } from "../provoke.mjs";

globalThis.provoke = async (urls) => {
  const values = await provoke({ sdk, ...urls });
  return values.map(({ what, value }) => ({ what, kind: value?.kind, texts: allTexts({ sdk }, value) }));
};
