// The panel at the right: a thread, or the pinned messages of the channel.

import { byId, refocus } from "./dom.js";
import { drawMessages } from "./messages.js";
import { drawOutside } from "./outside.js";
import { pinnedMessages, threadMessages } from "./store.js";

/** Draw what `desk.panel` says, or hide the panel. */
export function drawPanel(desk) {
  const { panel, channel, state } = desk;
  byId("panel").hidden = !panel;
  byId("shell").classList.toggle("with-panel", Boolean(panel));
  if (!panel) return byId("panel-messages").replaceChildren();
  if (panel.kind === "outside") return openOutside(desk);
  const isThread = panel.kind === "thread";
  const messages = isThread ? threadMessages(state, channel, panel.ts) : pinnedMessages(state, channel);
  byId("panel-title").textContent = isThread ? "Thread" : "Pinned items";
  byId("reply").hidden = !isThread;
  panel.view ??= { scope: `panel-${panel.kind}`, cache: new Map(), kept: new Map(), inThread: true };
  panel.view.channel = channel;
  const scroller = byId("panel-scroller");
  const bottom = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < 48;
  if (panel.view.cache.size === 0) byId("panel-messages").replaceChildren();
  drawMessages(byId("panel-messages"), messages, desk, panel.view);
  if (isThread && bottom) scroller.scrollTop = scroller.scrollHeight;
}

function openOutside(desk) {
  const first = byId("panel-title").textContent !== "Outside";
  byId("panel-title").textContent = "Outside";
  byId("reply").hidden = true;
  if (first) byId("panel-messages").replaceChildren();
  drawOutside(desk);
}

/** Close it and give the focus back to what opened it. */
export function closePanel(desk) {
  const opener = desk.panel?.opener;
  desk.panel = null;
  drawPanel(desk);
  refocus(opener ?? "none");
  if (document.activeElement === document.body) byId("composer-text").focus();
}
