/** An element that accepts dropped files. */
export interface DropZone {
  element: HTMLElement;
  onDrop(files: DataTransfer): void;
}

/**
 * Accepts files that are dropped on one of the zones while `enabled` returns true. Ignores drops outside the zones,
 * because the browser would otherwise navigate to the dropped file.
 */
export function setUpDrop(zones: DropZone[], enabled: () => boolean): void {
  const dropTarget = ({ target, dataTransfer }: DragEvent) => {
    if (!dataTransfer?.types.includes("Files")) return undefined;
    const zone = zones.find(({ element }) => target instanceof Node && element.contains(target));
    return { transfer: dataTransfer, zone: enabled() ? zone : undefined };
  };
  const highlight = (highlighted?: DropZone) => {
    for (const zone of zones) zone.element.toggleAttribute("data-drop", zone === highlighted);
  };
  window.addEventListener("dragover", (event) => {
    const over = dropTarget(event);
    if (over === undefined) return;
    event.preventDefault();
    over.transfer.dropEffect = over.zone === undefined ? "none" : "copy";
    highlight(over.zone);
  });
  window.addEventListener("dragleave", ({ relatedTarget }) => {
    if (relatedTarget === null) highlight();
  });
  window.addEventListener("drop", (event) => {
    const over = dropTarget(event);
    if (over === undefined) return;
    event.preventDefault();
    highlight();
    over.zone?.onDrop(over.transfer);
  });
}
