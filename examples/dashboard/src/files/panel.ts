import type { Api } from "../api/client.js";
import { paragraph } from "../api/problem.js";
import type { Computer, StoredFile } from "../api/types.js";
import { byId, element, setState } from "../ui/dom.js";
import type { Notices } from "../ui/notices.js";
import { DeleteFileDialog, ExportDialog } from "./dialogs.js";
import { setUpDrop } from "./drop.js";
import { FileList, nameOf } from "./list.js";
import { Uploads } from "./uploads.js";

const DOWNLOAD = "download the file";
/** The interval between list calls while the page is visible, in milliseconds. Other clients may add or delete files. */
const POLL_INTERVAL = 15_000;

/** The files that the service stores for the selected computer. */
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
  #offline = false;
  #listing: AbortController | undefined;

  /** @param reveal scrolls the panel into view or selects its tab */
  constructor(api: Api, notices: Notices, reveal: () => void) {
    this.#api = api;
    this.#notices = notices;
    const deleteDialog = new DeleteFileDialog((file) => this.#delete(file));
    const exportDialog = new ExportDialog((path) => this.#exportFile(path));
    this.#list = new FileList({
      download: (file) => void this.#download(file),
      delete: (file) => deleteDialog.open(file),
    });
    this.#uploads = new Uploads({
      send: async (file, onProgress, signal) => {
        await api.upload(this.#id ?? "", file, onProgress, signal);
        if (!signal.aborted) await this.#refresh();
      },
      onStatus: (name, status) => {
        if (status === "started") setState(this.#state, `Uploading ${name}…`, "busy");
        if (status === "done") setState(this.#state, `Uploaded ${name}`, "good");
        if (status === "failed") setState(this.#state, `Could not upload ${name}`, "bad");
        if (status === "canceled") setState(this.#state, `Canceled ${name}`, "idle");
      },
    });
    const input = byId("files-input", HTMLInputElement);
    input.addEventListener("change", () => {
      this.#uploads.add(input.files ?? []);
      // Otherwise selecting the same file again would not fire `change`.
      input.value = "";
    });
    this.#upload.addEventListener("click", () => input.click());
    this.#export.addEventListener("click", () => exportDialog.open());
    const onDrop = (transfer: DataTransfer) => {
      reveal();
      this.#drop(transfer);
    };
    const zones = ["files", "screen-stage"].map((id) => ({ element: byId(id, HTMLElement), onDrop }));
    setUpDrop(zones, () => this.#running);
    window.setInterval(() => {
      if (document.visibilityState === "visible") void this.#refresh(true);
    }, POLL_INTERVAL);
    this.show(undefined);
  }

  /**
   * Shows the files of a computer. The files of a stopped computer are available, but uploads and exports need a running one.
   *
   * @param offline whether the service is unreachable; all actions are then disabled
   */
  show(computer: Computer | undefined, offline = false): void {
    const isOther = computer?.id !== this.#id;
    const running = computer?.status === "running" && !offline;
    if (isOther || running !== this.#running)
      setState(this.#state, running ? "" : offline ? "Unreachable" : "Not running", "idle");
    this.#running = running;
    const isBackOnline = this.#offline && !offline;
    this.#offline = offline;
    this.#list.allow({ drop: running, change: !offline });
    this.#upload.disabled = this.#export.disabled = !this.#running;
    if (!isOther && computer !== undefined) {
      if (isBackOnline) void this.#refresh();
      return;
    }
    this.#id = computer?.id;
    this.#uploads.clear();
    this.#listing?.abort();
    if (computer === undefined) {
      this.#list.showMessage("No computer is selected.");
      return;
    }
    this.#list.showMessage("Loading files…");
    void this.#refresh();
  }

  /** Lists the files. Never rejects: shows an error in place of the list. */
  async #refresh(polling = false): Promise<void> {
    if (this.#id === undefined || this.#offline) return;
    this.#listing?.abort();
    this.#listing = new AbortController();
    const { signal } = this.#listing;
    try {
      this.#list.show(await this.#api.files(this.#id, signal, polling));
    } catch (error) {
      if (signal.aborted) return;
      const retry = { label: "Retry", run: () => void this.#refresh() };
      this.#list.showMessage(`The files could not be listed. ${paragraph(error)}`, retry);
    }
  }

  #drop({ items }: DataTransfer): void {
    const files: File[] = [];
    for (const item of items) {
      const file = item.getAsFile();
      if (file === null) continue;
      if (item.webkitGetAsEntry()?.isDirectory) this.#uploads.reject(file.name, "A folder cannot be uploaded.");
      else files.push(file);
    }
    this.#uploads.add(files);
  }

  async #exportFile(path: string): Promise<void> {
    const file = await this.#api.exportFile(this.#id ?? "", path);
    setState(this.#state, `Stored ${nameOf(file)}`, "good");
    await this.#refresh();
  }

  async #delete(file: StoredFile): Promise<void> {
    await this.#api.removeFile(file.id);
    setState(this.#state, `Deleted ${nameOf(file)}`, "idle");
    // Not awaited, so that the dialog can restore the focus to the file's row before the row is removed.
    void this.#refresh();
  }

  async #download(file: StoredFile): Promise<void> {
    try {
      const href = await this.#api.fileLink(file.id);
      // `_blank`: if the browser displays the file instead of saving it, the file opens in a new tab.
      element("a", { href, download: nameOf(file), target: "_blank", rel: "noopener noreferrer" }).click();
      this.#notices.clear(DOWNLOAD);
    } catch (error) {
      this.#notices.fail(DOWNLOAD, error);
    }
  }
}
