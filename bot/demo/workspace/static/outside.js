// The panel of the systems outside of the channel: what the status page, the pager and the mailboxes show now.

import { byId, h } from "./dom.js";

const EVERY = 2000; // milliseconds between two looks while the panel is open

/** Show the button if this workspace has such systems, and keep the open panel fresh. */
export async function wireOutside(desk, open) {
  const button = byId("outside-button");
  button.hidden = (await systems()).length === 0;
  button.addEventListener("click", open);
  setInterval(() => { if (desk.panel?.kind === "outside") drawOutside(desk); }, EVERY);
}

/** Ask for what there is and draw it, unless the panel has been closed meanwhile. */
export async function drawOutside(desk) {
  const found = await systems();
  if (desk.panel?.kind !== "outside" || found.length === 0) return;
  byId("panel-messages").replaceChildren(...found.map(system));
}

async function systems() {
  try {
    const answer = await fetch("/ui/outside");
    return answer.ok ? await answer.json() : [];
  } catch {
    return []; // the workspace is away; the page says so itself
  }
}

function system({ name, lines }) {
  const rows = lines.length ? lines.map((line) => h("p", { class: "outside-line" }, line)) : [h("p", {}, "Nothing yet.")];
  return h("li", { class: "outside" }, h("h3", {}, name), ...rows);
}
