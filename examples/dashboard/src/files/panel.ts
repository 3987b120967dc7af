import type { Api } from "../api/client.js";
import { paragraph } from "../api/problem.js";
import type { Computer, StoredFile } from "../api/types.js";
import { byId, element, setState } from "../ui/dom.js";
import type { Notices } from "../ui/notices.js";
import { DeleteFileDialog, ExportDialog } from "./dialogs.js";
import { setUpDrop } from "./drop.js";
import { FileList, nameOf } from "./list.js";
import { Uploads } from "./uploads.js";

const DOWNLOAD = "Downloading the file";
/** How often the files are listed while the page is seen, in milliseconds: others store and delete some too. */
const PACE = 15_000;

/** The files that the service keeps for the selected computer. */
export class FilesPanel {
  readonly #api: Api;
  readonly #notices: Notices;
  readonly #state = byId("files-state", HTMLParagraphElement);
  readonly #export = byId("files-export", HTMLButtonElement);
  readonly #upload = byId("files-upload", HTMLButtonElement);
  readonly #list: FileList;
  readonly #uploads: Uploads;
  #id: string | undefined;
  #running = false;
  #away = false;
  #listing: AbortController | undefined;

  /** @param reveal brings the panel to sight */
  constructor(api: Api, notices: Notices, reveal: () => void) {
    this.#api = api;
    this.#notices = notices;
    const deleteDialog = new DeleteFileDialog((file) => this.#delete(file));
    const exportDialog = new ExportDialog((path) => this.#store(path));
    this.#list = new FileList({
      download: (file) => void this.#download(file),
      askToDelete: (file) => deleteDialog.open(file),
    });
    this.#uploads = new Uploads({
      send: async (file, tell, signal) => {
        await api.upload(this.#id ?? "", file, tell, signal);
        if (!signal.aborted) await this.#look();
      },
      changed: (name, step) => {
        if (step === "begun") setState(this.#state, `Uploading ${name}…`, "busy");
        if (step === "done") setState(this.#state, `Uploaded ${name}`, "good");
        if (step === "failed") setState(this.#state, `Not uploaded: ${name}`, "bad");
        if (step === "given up") setState(this.#state, `Cancelled ${name}`, "idle");
      },
    });
    const input = byId("files-input", HTMLInputElement);
    input.addEventListener("change", () => {
      this.#uploads.add(input.files ?? []);
      // The same file can be chosen again.
      input.value = "";
    });
    this.#upload.addEventListener("click", () => input.click());
    this.#export.addEventListener("click", () => exportDialog.open());
    const dropped = (transfer: DataTransfer) => {
      reveal();
      this.#drop(transfer);
    };
    const zones = ["files", "screen-stage"].map((id) => ({ element: byId(id, HTMLElement), dropped }));
    setUpDrop(zones, () => this.#running);
    window.setInterval(() => {
      if (document.visibilityState === "visible") void this.#look(true);
    }, PACE);
    this.show(undefined);
  }

  /**
   * Shows the files of a computer. They are there while it is stopped too; only a running one takes and gives files.
   *
   * @param away whether the service is out of reach, so that nothing can be done with them
   */
  show(computer: Computer | undefined, away = false): void {
    const isOther = computer?.id !== this.#id;
    const running = computer?.status === "running" && !away;
    if (isOther || running !== this.#running) setState(this.#state, running ? "" : away ? "Not known" : "Not running", "idle");
    this.#running = running;
    const isBack = this.#away && !away;
    this.#away = away;
    this.#list.allow({ drop: running, change: !away });
    this.#upload.disabled = this.#export.disabled = !this.#running;
    if (!isOther && computer !== undefined) {
      if (isBack) void this.#look();
      return;
    }
    this.#id = computer?.id;
    this.#uploads.clear();
    this.#listing?.abort();
    if (computer === undefined) return this.#list.say("No computer is selected.");
    this.#list.say("Looking for files…");
    void this.#look();
  }

  /** Lists the files. Never rejects: a failure is shown in their place. */
  async #look(polling = false): Promise<void> {
    if (this.#id === undefined || this.#away) return;
    this.#listing?.abort();
    const { signal } = (this.#listing = new AbortController());
    try {
      this.#list.show(await this.#api.files(this.#id, signal, polling));
    } catch (error) {
      if (signal.aborted) return;
      this.#list.say(`The files cannot be listed. ${paragraph(error)}`, { label: "Try again", run: () => void this.#look() });
    }
  }

  #drop({ items }: DataTransfer): void {
    const files: File[] = [];
    for (const item of items) {
      const file = item.getAsFile();
      if (file === null) continue;
      if (item.webkitGetAsEntry()?.isDirectory) this.#uploads.refuse(file.name, "A folder cannot be uploaded.");
      else files.push(file);
    }
    this.#uploads.add(files);
  }

  async #store(path: string): Promise<void> {
    const file = await this.#api.exportFile(this.#id ?? "", path);
    setState(this.#state, `Stored ${nameOf(file)}`, "good");
    await this.#look();
  }

  async #delete(file: StoredFile): Promise<void> {
    await this.#api.removeFile(file.id);
    setState(this.#state, `Deleted ${nameOf(file)}`, "idle");
    // Not awaited: the dialog gives the focus back to the file's row before that goes.
    void this.#look();
  }

  async #download(file: StoredFile): Promise<void> {
    try {
      const href = await this.#api.fileLink(file.id);
      // A browser that shows the file instead of saving it does so in a tab of its own.
      element("a", { href, download: nameOf(file), target: "_blank", rel: "noopener noreferrer" }).click();
      this.#notices.clear(DOWNLOAD);
    } catch (error) {
      this.#notices.fail(DOWNLOAD, error);
    }
  }
}
