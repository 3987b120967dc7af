// A page that runs tasks with the WebAssembly binding.
import * as sdk from "orgo-sdk";
import { makeCall } from "../call.mjs";
import { trigger } from "../error-cases.mjs";
import { abortForeign, refuseOthers, uploadForeign } from "../realms.mjs";

/** Passes objects of an iframe to the package. */
async function useIframe(sdk, { url }) {
  const frame = document.createElement("iframe");
  document.body.append(frame);
  const realm = frame.contentWindow;
  const uploaded = await uploadForeign(sdk, url, realm);
  return { uploaded, aborted: await abortForeign(sdk, url, realm), refused: await refuseOthers(sdk, url, realm) };
}

const tasks = { makeCall, trigger, useIframe };

// Loads both modules first, because the time limits are for calls only. The call itself fails.
await sdk.Orgo.bindingInfo();
await new sdk.Orgo({ baseUrl: location.origin, maxRetries: 0 }).workspaces.list().catch(() => {});
globalThis.run = (id, name, task) => tasks[name](sdk, task, () => globalThis.retries(id));
