// Modals: a stack of at most three views, the top one drawn in one <dialog>
// (docs.slack.dev/surfaces/modals).

import { blocks, surface } from "./blocks.js";
import { trapTab } from "./confirm.js";
import { add, byId, focusKey, h, refocus } from "./dom.js";
import { readAll } from "./elements.js";
import { textObject } from "./mrkdwn.js";
import { closeView } from "./store.js";

/** What of the dialog lives between two drawings: the drawn view, its fields, and who had the focus before. */
export function modalState(desk) {
  const dialog = byId("modal");
  const self = { dialog, desk, ctx: null, view: null, opener: null, kept: new Map(), said: "" };
  dialog.addEventListener("cancel", (event) => { event.preventDefault(); closeTop(self); });
  dialog.addEventListener("keydown", trapTab);
  return self;
}

/** Draw the top view of the stack, or close the dialog when there is none. */
export function drawModal(self) {
  const view = self.desk.state.views.at(-1);
  if (!view) return shut(self);
  const errors = self.desk.state.viewErrors[view.id] ?? {};
  if (self.view === view && self.errors === errors) return undefined;
  const isNew = self.view?.id !== view.id;
  if (self.view && self.ctx) self.kept.set(self.view.id, readAll(self.ctx.fields));
  const focused = isNew ? null : focusKey();
  Object.assign(self, { view, errors });
  paint(self, errors);
  return aim(self, isNew, errors, focused);
}

function paint(self, errors) {
  const { view, desk, dialog } = self;
  const act = (action) => desk.send({ type: "view_action", view_id: view.id, ...action, values: readAll(self.ctx.fields) });
  self.ctx = { ...surface(`view/${view.id}`, desk.workspace, act, self.kept.get(view.id)), errors };
  const form = h("form", { class: "modal-form", novalidate: true, on: { submit: (event) => { event.preventDefault(); submit(self); } } },
    header(self), h("div", { class: "modal-body" }, h("div", { class: "modal-problem", role: "alert", hidden: true }), blocks(view.blocks, self.ctx)), footer(self));
  dialog.replaceChildren(form);
  for (const field of self.ctx.fields) field.made.control.setAttribute("aria-required", String(field.block.type === "input" && !field.block.optional));
  markErrors(self, errors);
}

function header(self) {
  const close = h("button", { type: "button", class: "quiet", "aria-label": "Close", on: { click: () => closeTop(self) } }, "✕");
  return h("header", {}, h("h2", { id: "modal-title" }, textObject(self.view.title, self.desk.workspace.names)), close);
}

function footer(self) {
  const { view, desk } = self;
  const back = desk.state.views.length > 1 ? "Back" : "Cancel";
  const close = h("button", { type: "button", data: { key: `${view.id}/close` }, on: { click: () => closeTop(self) } }, view.close ? textObject(view.close, desk.workspace.names) : back);
  const send = view.submit && h("button", { type: "submit", class: "primary", data: { key: `${view.id}/submit` } }, textObject(view.submit, desk.workspace.names));
  return h("footer", {}, close, send);
}

function aim(self, isNew, errors, focused) {
  if (!self.dialog.open) {
    self.opener = focusKey();
    self.dialog.showModal();
  }
  const wrong = self.ctx.fields.find(({ block }) => errors[block.block_id]);
  const first = wrong ?? (isNew ? self.ctx.fields[0] : null);
  if (first) first.made.control.focus();
  else if (focused) refocus(focused);
  else if (isNew) self.dialog.querySelector("footer [type=submit], footer button").focus();
}

function shut(self) {
  if (!self.dialog.open) return;
  self.dialog.close();
  self.dialog.replaceChildren();
  Object.assign(self, { view: null, ctx: null, kept: new Map() });
  if (!self.opener) byId("composer-text").focus();
  refocus(self.opener);
}

function closeTop(self) {
  const id = self.view.id;
  closeView(self.desk.state, id);
  self.desk.send({ type: "close", view_id: id });
  drawModal(self);
}

function markErrors(self, errors) {
  for (const { block, made } of self.ctx.fields) {
    const message = errors[block.block_id];
    const line = made.node.closest(".block")?.querySelector(".error");
    for (const control of made.controls ?? [made.control]) {
      if (message) control.setAttribute("aria-invalid", "true");
      else control.removeAttribute("aria-invalid");
      if (message && made.controls) control.setAttribute("aria-describedby", line.id);
    }
    if (!line) continue;
    line.hidden = !message;
    line.replaceChildren(message ?? "");
  }
}

async function submit(self) {
  const problems = missing(self.ctx.fields);
  markErrors(self, problems);
  const wrong = self.ctx.fields.find(({ block }) => problems[block.block_id]);
  if (wrong) return wrong.made.control.focus();
  const { view, dialog } = self;
  dialog.classList.add("busy");
  const answer = await self.desk.send({ type: "submit", view_id: view.id, values: readAll(self.ctx.fields) });
  dialog.classList.remove("busy");
  if (!answer.ok && self.view?.id === view.id && !self.desk.state.viewErrors[view.id]) complain(dialog, answer.error);
}

function complain(dialog, error) {
  const box = dialog.querySelector(".modal-problem");
  box.hidden = false;
  box.replaceChildren();
  add(box, [`The app did not answer (${error ?? "no reason given"}). Nothing was lost: try again.`]);
}

/** The errors the client itself finds, as Slack does, before the app is asked. */
function missing(fields) {
  const found = {};
  for (const { block, one, made } of fields) {
    if (block.type !== "input") continue;
    const problem = emptied(block, made) ?? invalid(one, made);
    if (problem) found[block.block_id] = problem;
  }
  return found;
}

function emptied(block, made) {
  const [value] = Object.values(made.read());
  const empty = value === null || (Array.isArray(value) && !value.length);
  return empty && !block.optional ? "Please complete this required field." : null;
}

function invalid(one, made) {
  const { control } = made;
  if (one.min_length && control.value && control.value.length < one.min_length) return `Please write at least ${one.min_length} characters.`;
  return control.validity && !control.validity.valid ? control.validationMessage : null;
}
