// The box to write in: Enter sends, "/" and "@" offer completions, Up recalls the last command.

import { h } from "./dom.js";
import { escape } from "./mrkdwn.js";

/**
 * Fill a form with a message box. `offers(text)` gives [{insert, label, about, from}] for what stands before
 * the cursor; `submit(text)` resolves to false when the text could not be sent and is to be kept.
 */
export function composer(form, { id, label, offers, submit }) {
  const list = h("ul", { id: `${id}-offers`, class: "offers", role: "listbox", "aria-label": "Completions", hidden: true });
  const box = h("textarea", { id, rows: 1, autocomplete: "off", spellcheck: "true", role: "combobox", "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": list.id, "aria-label": label, placeholder: label });
  const send = h("button", { type: "submit", class: "send", "aria-label": "Send" }, "➤");
  form.replaceChildren(list, h("div", { class: "box" }, box, send), h("p", { class: "tips" }, "Enter to send · Shift+Enter for a new line · ↑ for your last command"));
  const self = { box, list, offers, submit, shown: [], chosen: 0, sent: [] };
  box.addEventListener("input", () => { grow(box); offer(self); });
  box.addEventListener("keydown", (event) => onKey(self, event));
  form.addEventListener("submit", (event) => { event.preventDefault(); deliver(self); });
  return self;
}

/** Name the box anew, when another channel is shown. */
export function relabel(self, label) {
  self.box.placeholder = label;
  self.box.setAttribute("aria-label", label);
}

function grow(box) {
  box.rows = Math.min(8, box.value.split("\n").length);
}

function setText(self, text) {
  self.box.value = text;
  self.box.setSelectionRange(text.length, text.length);
  grow(self.box);
  offer(self);
}

function offer(self) {
  const text = self.box.value.slice(0, self.box.selectionStart);
  self.shown = self.offers(text);
  self.chosen = 0;
  paint(self);
}

function paint(self) {
  const { list, box, shown, chosen } = self;
  list.replaceChildren(...shown.map((one, index) => h("li", { id: `${list.id}-${index}`, role: "option", "aria-selected": String(index === chosen), on: { pointerdown: (event) => { event.preventDefault(); take(self, index); } } },
    h("strong", {}, one.label), one.about && h("span", {}, one.about))));
  list.hidden = !shown.length;
  box.setAttribute("aria-expanded", String(shown.length > 0));
  if (shown.length) box.setAttribute("aria-activedescendant", `${list.id}-${chosen}`);
  else box.removeAttribute("aria-activedescendant");
}

function take(self, index) {
  const { insert, from } = self.shown[index];
  const after = self.box.value.slice(self.box.selectionStart);
  setText(self, `${self.box.value.slice(0, from)}${insert}${after}`);
  self.box.focus();
}

const OFFER_KEYS = {
  ArrowDown: (self) => { self.chosen = (self.chosen + 1) % self.shown.length; paint(self); },
  ArrowUp: (self) => { self.chosen = (self.chosen + self.shown.length - 1) % self.shown.length; paint(self); },
  Tab: (self) => take(self, self.chosen),
  Escape: (self) => { self.shown = []; paint(self); },
};

function onKey(self, event) {
  if (event.isComposing) return;
  if (self.shown.length && OFFER_KEYS[event.key] && !event.shiftKey) return stop(event, () => OFFER_KEYS[event.key](self));
  if (event.key === "Enter" && !event.shiftKey) return stop(event, () => (unfinished(self) ? take(self, self.chosen) : deliver(self)));
  if (event.key === "ArrowUp" && !self.box.value && self.sent.length) stop(event, () => setText(self, self.sent.at(-1)));
}

function unfinished(self) {
  const one = self.shown[self.chosen];
  return one && self.box.value.slice(one.from).trim() !== one.insert.trim();
}

function stop(event, run) {
  event.preventDefault();
  event.stopPropagation();
  run();
}

async function deliver(self) {
  const text = self.box.value.trim();
  if (!text) return;
  setText(self, "");
  self.sent.push(text);
  if ((await self.submit(text)) === false && !self.box.value) setText(self, text);
}

/** What to offer for the last word: commands at the start of the text, people after an "@". */
export function completions(text, commands, people) {
  if (/^\/\S*$/.test(text)) return commands.filter((one) => one.startsWith(text)).map((one) => ({ insert: `${one} `, label: one, about: "Slash command", from: 0 }));
  const found = /(?:^|\s)@([\p{L}\p{N}._-]*)$/u.exec(text);
  if (!found) return [];
  const from = text.length - found[1].length - 1;
  const fits = ({ name, label }) => [name, label].some((one) => one?.toLowerCase().startsWith(found[1].toLowerCase()));
  return people.filter(fits).slice(0, 8).map((one) => ({ insert: `@${one.name} `, label: one.label, about: `@${one.name}`, from }));
}

/** The text as Slack stores it: escaped, with every known @name made a mention. */
export function withMentions(text, people) {
  const ids = new Map(people.map((one) => [one.name, one.id]));
  return escape(text).replace(/@([\p{L}\p{N}._-]*[\p{L}\p{N}_])/gu, (whole, name) => (ids.has(name) ? `<@${ids.get(name)}>` : whole));
}
