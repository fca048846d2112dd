// The question asked before a dangerous button acts
// (docs.slack.dev/reference/block-kit/composition-objects/confirmation-dialog-object).

import { focusKey, h, refocus } from "./dom.js";
import { textObject } from "./mrkdwn.js";

/** Ask; resolves to true when the person confirms. Escape and the other button mean no. */
export function ask(confirm, names) {
  const opener = focusKey();
  return new Promise((resolve) => {
    const dialog = draw(confirm, names);
    dialog.addEventListener("close", () => {
      dialog.remove();
      refocus(opener);
      resolve(dialog.returnValue === "yes");
    });
    document.body.append(dialog);
    dialog.showModal();
    dialog.querySelector("[data-first]").focus();
  });
}

function draw(confirm, names) {
  const danger = confirm.style === "danger";
  const dialog = h("dialog", { class: "confirm", role: "alertdialog", "aria-labelledby": "confirm-title", "aria-describedby": "confirm-text", on: { keydown: trapTab } },
    h("h2", { id: "confirm-title" }, textObject(confirm.title, names)),
    h("div", { id: "confirm-text" }, textObject(confirm.text, names)));
  // The harmless answer has the focus when the other one is dangerous.
  const deny = h("button", { type: "button", data: danger ? { first: "" } : {}, on: { click: () => dialog.close("no") } }, textObject(confirm.deny ?? "Cancel", names));
  const accept = h("button", { type: "button", class: danger ? "danger" : "primary", data: danger ? {} : { first: "" }, on: { click: () => dialog.close("yes") } }, textObject(confirm.confirm ?? "Yes", names));
  dialog.append(h("footer", {}, deny, accept));
  return dialog;
}

/** Keep Tab inside a dialog; the browser alone would also visit its own toolbars. */
export function trapTab(event) {
  if (event.key !== "Tab") return;
  const all = [...event.currentTarget.querySelectorAll("button, input, select, textarea, a[href], summary, [tabindex='0']")].filter((one) => !one.disabled && one.offsetParent);
  const edge = event.shiftKey ? all[0] : all.at(-1);
  if (document.activeElement !== edge) return;
  event.preventDefault();
  (event.shiftKey ? all.at(-1) : all[0]).focus();
}
