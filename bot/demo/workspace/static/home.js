// The app's Home tab (docs.slack.dev/surfaces/app-home).

import { blocks, surface } from "./blocks.js";
import { copyOpened, focusKey, h, refocus } from "./dom.js";
import { readAll } from "./elements.js";

/** Draw the home view, or say that the app has not published one. */
export function drawHome(node, desk, memory) {
  const view = desk.state.home;
  const signature = JSON.stringify([view, desk.epoch]);
  if (memory.signature === signature) return;
  const kept = memory.ctx ? readAll(memory.ctx.fields) : null;
  const ctx = surface("home", desk.workspace, (action) => desk.send({ type: "view_action", view_id: view.id, ...action, values: readAll(ctx.fields) }), kept);
  const focused = focusKey();
  const page = h("div", { class: "home-page" }, view ? blocks(view.blocks, ctx) : h("p", { class: "empty" }, "The app has not shown its Home yet. Is the bot running?"));
  copyOpened(node, page);
  node.replaceChildren(page);
  refocus(focused);
  Object.assign(memory, { signature, ctx });
}
