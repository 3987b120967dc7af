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
import { MachineHead } from "./computers/head.js";
import { ComputerList } from "./computers/list.js";
import { screenWords } from "./computers/screen-words.js";
import { ComputerStore, type Computers } from "./computers/store.js";
import { FilesPanel } from "./files/panel.js";
import { ScreenPanel } from "./screen/panel.js";
import { byId, setText } from "./ui/dom.js";
import { Notices } from "./ui/notices.js";
import { setUpSwitches } from "./ui/switch.js";

const LISTING = "Looking for computers";
/** How long the rest of the page's code waits for the first picture, in milliseconds. */
const FIRST_PICTURE = 3_000;

const log = new CallLog();
const api = new Api(log);
const notices = new Notices();
new CallsPanel(log);
const showPanel = setUpSwitches();

const store = new ComputerStore(api);
const screen = new ScreenPanel(api, notices, () => store.doubt());
const files = new FilesPanel(api, notices, () => showPanel("files"));
const list = new ComputerList(store);
const createDialog = new CreateDialog(store, (id) => list.focus(id));
const deleteDialog = new DeleteDialog(store, (beside) => list.focus(beside));
new MachineHead(store, notices, () => deleteDialog.open());
byId("create-open", HTMLButtonElement).addEventListener("click", () => createDialog.open());

/** The selected computer while it runs. */
let session: Session | undefined;
/** Undefined until they are loaded. */
let panels: ChannelPanels | undefined;
let away = false;

const actions = {
  create: () => createDialog.open(),
  retry: () => void store.refresh(),
  start: (id: string) => {
    store.change(id, "start").catch((error: unknown) => notices.fail("Starting the computer", error));
  },
};

/** Opens what the selected computer has while it runs, and closes it when it no longer does. */
function follow(state: Computers): void {
  const { selected, error } = state;
  const wasAway = away;
  away = state.away;
  if (error === undefined) notices.clear(LISTING);
  else notices.fail(LISTING, error, { label: "Retry now", run: actions.retry });

  const running = selected?.status === "running" ? selected : undefined;
  if (running === undefined || running.id !== session?.id) {
    session?.end();
    session = running && new Session(api, running.id);
    if (session === undefined) panels?.detach(selected?.id);
    else panels?.attach(session);
  }
  if (wasAway !== away) panels?.reach(!away);
  else if (error === undefined) panels?.redial();
  const words = screenWords(state, actions);
  // The channels stay as they are: if only the list of computers cannot be reached, their shell goes on.
  if (running === undefined || away) screen.detach(words, selected?.id);
  else screen.attach(running, words);
}

async function loadPanels(): Promise<void> {
  try {
    const { ChannelPanels } = await import("./channel/panels.js");
    panels = new ChannelPanels(
      () => screen.hurry(),
      () => store.doubt(),
    );
  } catch {
    notices.fail("Loading the terminal, the sound and the events", new Error("Reload the page to try again."));
    return;
  }
  if (session === undefined) panels.detach(store.state.get().selected?.id);
  else panels.attach(session);
  if (away) panels.reach(false);
}

store.state.watch(follow);
store.state.watch(({ selected, away }) => files.show(selected, away));
void Promise.race([screen.shown, new Promise((resolve) => setTimeout(resolve, FIRST_PICTURE))]).then(loadPanels);

api.service().then(
  ({ host, local, binding, version }) => {
    const place = byId("service", HTMLSpanElement);
    setText(place, local ? "Local desktop" : host);
    place.title = `${host} · orgo-sdk ${version}, ${binding} binding on the server`;
  },
  (error: unknown) => notices.fail("Asking for the service", error),
);
