import "./style/base.css";
import "./style/controls.css";
import "./style/layout.css";
import "./style/screen.css";
import "./style/panels.css";
import "./style/files.css";
import { CallLog } from "./api/call-log.js";
import { Api } from "./api/client.js";
import { CallsPanel } from "./calls/panel.js";
import { Session } from "./channel/session.js";
import { CreateDialog, DeleteDialog } from "./computers/dialogs.js";
import { MachineHead } from "./computers/head.js";
import { ComputerList } from "./computers/list.js";
import { type Computers, ComputerStore } from "./computers/store.js";
import { screenWords } from "./computers/screen-words.js";
import { EventsPanel } from "./events/panel.js";
import { FilesPanel } from "./files/panel.js";
import { ScreenPanel } from "./screen/panel.js";
import { SoundPanel } from "./sound/panel.js";
import { TerminalPanel } from "./terminal/panel.js";
import { byId, setText } from "./ui/dom.js";
import { Notices } from "./ui/notices.js";
import { setUpSwitches } from "./ui/switch.js";

const LISTING = "Looking for computers";

const log = new CallLog();
const api = new Api(log);
const notices = new Notices();
new CallsPanel(log);
const showPanel = setUpSwitches();

const screen = new ScreenPanel(api, notices);
const terminal = new TerminalPanel();
const sound = new SoundPanel();
const events = new EventsPanel(() => screen.hurry());
const files = new FilesPanel(api, notices, () => showPanel("files"));

const store = new ComputerStore(api);
const createDialog = new CreateDialog(store);
const deleteDialog = new DeleteDialog(store);
new ComputerList(store);
new MachineHead(store, notices, () => deleteDialog.open());
byId("create-open", HTMLButtonElement).addEventListener("click", () => createDialog.open());

let session: Session | undefined;

/** Opens what the selected computer has while it runs, and closes it when it no longer does. */
function follow(state: Computers): void {
  if (state.error !== undefined) notices.fail(LISTING, state.error);
  else if (notices.clear(LISTING)) screen.retry();
  const { selected } = state;
  const running = selected?.status === "running" ? selected.id : undefined;
  if (running !== undefined && running === session?.id) return;

  session?.end();
  session = undefined;
  const words = screenWords(state, {
    create: () => createDialog.open(),
    start: (id) => {
      store.change(id, "start").catch((error: unknown) => notices.fail("Starting the computer", error));
    },
  });
  for (const panel of [terminal, sound, events]) panel.detach();
  if (running === undefined) return screen.detach(words);
  session = new Session(api, running);
  screen.attach(running, words);
  for (const panel of [terminal, sound, events]) panel.attach(session);
}

store.state.watch(follow);
store.state.watch(({ selected }) => files.show(selected));

api.service().then(
  ({ host, local, binding, version }) => {
    const place = byId("service", HTMLSpanElement);
    setText(place, local ? "Local desktop" : host);
    place.title = `${host} · orgo-sdk ${version}, ${binding} binding on the server`;
  },
  (error: unknown) => notices.fail("Asking for the service", error),
);
