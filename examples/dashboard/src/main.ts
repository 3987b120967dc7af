import "./style/base.css";
import "./style/controls.css";
import "./style/layout.css";
import "./style/screen.css";
import "./style/panels.css";
import "./style/files.css";
import { CallLog } from "./api/call-log.js";
import { Api } from "./api/client.js";
import { CallsPanel } from "./calls/panel.js";
import type { ChannelPanels } from "./channel/panels.js";
import { Session } from "./channel/session.js";
import { CreateDialog, DeleteDialog } from "./computers/dialogs.js";
import { ComputerHeader } from "./computers/header.js";
import { ComputerList } from "./computers/list.js";
import { screenMessage } from "./computers/screen-message.js";
import { ComputerStore, type Computers } from "./computers/store.js";
import { FilesPanel } from "./files/panel.js";
import { ScreenPanel } from "./screen/panel.js";
import { byId, setText } from "./ui/dom.js";
import { Notices } from "./ui/notices.js";
import { setUpTabs } from "./ui/tabs.js";

const LISTING = "list the computers";
/** The maximum time that the panels wait for the screen before they load, in milliseconds. */
const SCREEN_TIMEOUT = 6_000;

const log = new CallLog();
const api = new Api(log);
const notices = new Notices();
new CallsPanel(log);
const showPanel = setUpTabs();

const store = new ComputerStore(api);
const screen = new ScreenPanel(api, notices, () => store.checkService());
const files = new FilesPanel(api, notices, () => showPanel("files"));
const list = new ComputerList(store);
const createDialog = new CreateDialog(store, (id) => list.focus(id));
const deleteDialog = new DeleteDialog(store, (next) => list.focus(next));
new ComputerHeader(store, notices, () => deleteDialog.open());
byId("create-open", HTMLButtonElement).addEventListener("click", () => createDialog.open());

/** The selected computer while it is running. */
let session: Session | undefined;
/** `undefined` until the panels have loaded. */
let panels: ChannelPanels | undefined;
let offline = false;

const actions = {
  create: () => createDialog.open(),
  retry: () => void store.refresh(),
  start: (id: string) => {
    store.change(id, "start").catch((error: unknown) => notices.fail("start the computer", error));
  },
};

/** Attaches the screen and the panels to the selected computer while it is running, and detaches them otherwise. */
function follow(state: Computers): void {
  const { selected, error } = state;
  const wasOffline = offline;
  offline = state.offline;
  if (error === undefined) notices.clear(LISTING);
  else notices.fail(LISTING, error, { label: "Retry now", run: actions.retry });

  const running = selected?.status === "running" ? selected : undefined;
  if (running === undefined || running.id !== session?.id) {
    session?.end();
    session = running && new Session(api, running.id);
    if (session === undefined) panels?.detach(selected?.id);
    else panels?.attach(session);
  }
  if (wasOffline !== offline) panels?.setReachable(!offline);
  else if (error === undefined) panels?.reconnect();
  const message = screenMessage(state, actions);
  // An outage does not detach the channels, because a shell can keep running while list calls fail.
  if (running === undefined || session === undefined || offline) screen.detach(message, selected?.id);
  else screen.attach(running, session, message);
  if (error === undefined) screen.reconnect();
}

async function loadPanels(): Promise<void> {
  try {
    const { ChannelPanels } = await import("./channel/panels.js");
    panels = new ChannelPanels(
      () => screen.speedUp(),
      () => store.checkService(),
    );
  } catch {
    notices.fail("load the terminal, audio and events", new Error("Reload the page to try again."));
    return;
  }
  if (session === undefined) panels.detach(store.state.get().selected?.id);
  else panels.attach(session);
  if (offline) panels.setReachable(false);
}

store.state.watch(follow);
store.state.watch(({ selected, offline }) => files.show(selected, offline));
void Promise.race([screen.shown, new Promise((resolve) => setTimeout(resolve, SCREEN_TIMEOUT))]).then(loadPanels);

api.service().then(
  ({ host, local, binding, version }) => {
    const label = byId("service", HTMLSpanElement);
    setText(label, local ? "Local desktop" : host);
    label.title = `${host} · orgo-sdk ${version}, ${binding} binding on the server`;
  },
  (error: unknown) => notices.fail("get the service information", error),
);
