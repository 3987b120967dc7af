// The page in which everything is provoked that could show a secret. The test calls its function.
import * as sdk from "orgo-sdk";
import { allTexts, provoke } from "../provoke.mjs";

globalThis.provoke = async (places) => {
  const shown = await provoke({ sdk, ...places });
  return shown.map(({ what, value }) => ({ what, kind: value?.kind, texts: allTexts({ sdk }, value) }));
};
