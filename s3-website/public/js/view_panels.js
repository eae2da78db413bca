// Owns where a panel stands: beside the messages where there is room, else in a modal dialog over
// them. The dialog brings what a hand-made one would need: the rest inert, ESCAPE, focus returned.

/**
 * @typedef {{panel: HTMLElement, dialog: HTMLDialogElement, button: HTMLButtonElement,
 *   wide: MediaQueryList, onClose: () => void}} PanelOptions
 */

/** @param {PanelOptions} options `button` is what opens it */
export function createPanel({ panel, dialog, button, wide, onClose }) {
  const page = panel.ownerDocument;
  const home = page.createComment("");
  let shown = false;
  panel.before(home);

  // the back gesture of a phone comes as "cancel" or "close"; a tap beside it as a click on it
  dialog.addEventListener("cancel", (event) => {
    event.preventDefault();
    onClose();
  });
  dialog.addEventListener("close", () => {
    if (shown && !dialog.open && panel.parentNode === dialog) onClose();
  });
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) onClose();
  });

  return {
    /** @param {boolean} open */
    update(open) {
      const modal = !wide.matches;
      const leaving = shown && !open && panel.contains(page.activeElement);
      const entering = !shown && open && page.activeElement === button;
      shown = open;
      if (dialog.open && !(modal && open)) dialog.close();
      if (modal !== (panel.parentNode === dialog)) modal ? dialog.append(panel) : home.after(panel);
      panel.hidden = !open;
      if (modal && open && !dialog.open) dialog.showModal();
      if (modal) return;
      button.ariaExpanded = String(open);
      if (entering) panel.querySelector("button")?.focus();
      if (leaving) button.focus();
    },
  };
}
