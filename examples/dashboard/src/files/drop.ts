/** Something that files can be dropped on. */
export interface DropZone {
  element: HTMLElement;
  dropped(files: DataTransfer): void;
}

/**
 * Takes files that are dropped on one of the zones, while it is `enabled`. Elsewhere in the page they do nothing: the
 * browser would leave the page for them.
 */
export function setUpDrop(zones: DropZone[], enabled: () => boolean): void {
  const at = ({ target, dataTransfer }: DragEvent) => {
    if (!dataTransfer?.types.includes("Files")) return undefined;
    const zone = zones.find(({ element }) => target instanceof Node && element.contains(target));
    return { transfer: dataTransfer, zone: enabled() ? zone : undefined };
  };
  const mark = (marked?: DropZone) => {
    for (const zone of zones) zone.element.toggleAttribute("data-drop", zone === marked);
  };
  window.addEventListener("dragover", (event) => {
    const over = at(event);
    if (over === undefined) return;
    event.preventDefault();
    over.transfer.dropEffect = over.zone === undefined ? "none" : "copy";
    mark(over.zone);
  });
  window.addEventListener("dragleave", ({ relatedTarget }) => {
    if (relatedTarget === null) mark();
  });
  window.addEventListener("drop", (event) => {
    const over = at(event);
    if (over === undefined) return;
    event.preventDefault();
    mark();
    over.zone?.dropped(over.transfer);
  });
}
