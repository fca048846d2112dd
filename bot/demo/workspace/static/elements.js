// Interactive elements of a block: buttons, menus, and the fields of fields.js, bound to what they do.

import { ask } from "./confirm.js";
import { h } from "./dom.js";
import { FIELDS, withKept } from "./fields.js";
import { plain, textObject } from "./mrkdwn.js";

const SAFE_URL = /^https?:/i;

/** Draw one element; an unknown type is shown as such. */
export function element(one, block, ctx, about = {}) {
  if (one.type === "button" || one.type === "workflow_button") return button(one, block, ctx);
  if (one.type === "overflow") return overflow(one, block, ctx);
  if (one.type === "image") return h("img", { class: "thumb", src: one.image_url, alt: one.alt_text ?? "" });
  if (one.type === "feedback_buttons") return [one.positive_button, one.negative_button].map((each) => button({ ...each, action_id: one.action_id }, block, ctx));
  if (one.type === "icon_button") return button(one, block, ctx);
  return FIELDS[one.type] ? field(one, block, ctx, about) : unsupported("element", one.type);
}

/** The visible box for what this page cannot draw. */
export function unsupported(what, type) {
  return h("div", { class: "unsupported", role: "note" }, `unsupported ${what}: ${type}`);
}

/** A key that finds the same element again after a redraw. */
export function keyOf(ctx, block, one) {
  return [ctx.scope, block.block_id, one.action_id].join("/").replace(/\s/g, "_");
}

/** Everything entered on this surface: {block_id: {action_id: {type, …}}}. */
export function readAll(fields) {
  const values = {};
  for (const { block, one, made } of fields) {
    values[block.block_id] ??= {};
    values[block.block_id][one.action_id] = { type: one.type, ...made.read() };
  }
  return values;
}

async function act(node, one, block, ctx, payload) {
  if (one.confirm && !(await ask(one.confirm, ctx.names))) return false;
  node.classList.remove("failed");
  node.classList.add("busy");
  const answer = await ctx.act({ block_id: block.block_id, action_id: one.action_id, ...payload });
  node.classList.remove("busy");
  if (!answer.ok) warn(node, answer.error);
  return answer.ok;
}

function warn(node, error) {
  node.classList.add("failed");
  node.title = `This did not work: ${error ?? "no answer from the app"}`;
}

function button(one, block, ctx) {
  const node = h("button", { type: "button", class: one.style ?? null, "aria-label": one.accessibility_label, data: { key: keyOf(ctx, block, one), action: one.action_id ?? "" } },
    one.text ? textObject(one.text, ctx.names) : plain(one.icon ?? "…"));
  node.addEventListener("click", () => {
    if (one.url && SAFE_URL.test(one.url)) window.open(one.url, "_blank", "noopener");
    act(node, one, block, ctx, { value: one.value });
  });
  return node;
}

function overflow(one, block, ctx) {
  const menu = h("details", { class: "overflow", data: { key: keyOf(ctx, block, one) } }, h("summary", { "aria-label": one.accessibility_label ?? "More actions" }, "⋯"));
  const choose = (option) => {
    menu.open = false;
    menu.firstElementChild.focus();
    if (option.url && SAFE_URL.test(option.url)) window.open(option.url, "_blank", "noopener");
    act(menu, one, block, ctx, { selected_option: option });
  };
  menu.append(h("div", { class: "menu" }, (one.options ?? []).map((option) => h("button", { type: "button", on: { click: () => choose(option) } }, textObject(option.text, ctx.names)))));
  menu.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !menu.open) return;
    event.stopPropagation();
    event.preventDefault();
    menu.open = false;
    menu.firstElementChild.focus();
  });
  return menu;
}

function field(one, block, ctx, about) {
  const key = keyOf(ctx, block, one);
  const kept = ctx.kept?.[block.block_id]?.[one.action_id];
  let made = null;
  const changed = () => dispatch(made, one, block, ctx);
  const env = { id: `field--${key}`, key, changed, names: ctx.names, people: ctx.people, channels: ctx.channels, ...about };
  made = FIELDS[one.type](kept?.type === one.type ? withKept(one, kept) : one, env);
  ctx.fields.push({ block, one, made });
  return made.node;
}

async function dispatch(made, one, block, ctx) {
  if (block.type === "input" && !block.dispatch_action) return;
  await act(made.node, one, block, ctx, made.read());
}
