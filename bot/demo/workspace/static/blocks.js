// Block Kit blocks (docs.slack.dev/reference/block-kit/blocks), one small drawer per type.
// `ctx` is {scope, names, people, channels, fields, kept, errors, act}; see surface().

import { h } from "./dom.js";
import { element, keyOf, unsupported } from "./elements.js";
import { GROUPED } from "./fields.js";
import { markdown } from "./markdown.js";
import { mrkdwn, textObject } from "./mrkdwn.js";
import { richText } from "./richtext.js";
import { plan, taskCard } from "./tasks.js";

const DRAW = {
  section, header, divider: () => h("hr"), context, actions, image, input, alert, container,
  rich_text: (block, ctx) => richText(block, ctx.names),
  markdown: (block, ctx) => h("div", { class: "markdown" }, markdown(block.text ?? "", ctx.names)),
  table, plan, task_card: taskCard, context_actions: actions,
};

/** What a block needs to know of the surface it is drawn on; `act` sends an action and answers {ok, error}. */
export function surface(scope, workspace, act, kept = null) {
  return { scope, act, kept, fields: [], errors: {}, names: workspace.names, people: workspace.people(), channels: workspace.channels() };
}

/** All blocks of a message, modal or home. */
export function blocks(list, ctx) {
  return (list ?? []).map((block) => drawn(block, ctx));
}

function drawn(block, ctx) {
  const draw = DRAW[block?.type];
  const inner = draw ? draw(block, ctx) : unsupported("block", block?.type ?? "none");
  return h("div", { class: `block block-${block?.type}`, data: { block: block?.block_id ?? "" } }, inner);
}

function section(block, ctx) {
  const words = block.text && h("div", { class: "text" }, textObject(block.text, ctx.names));
  const fields = block.fields && h("div", { class: "fields" }, block.fields.map((one) => h("div", {}, textObject(one, ctx.names))));
  const side = block.accessory && h("div", { class: "accessory" }, element(block.accessory, block, ctx));
  return [h("div", { class: "section-body" }, words, fields), side];
}

function header(block, ctx) {
  // The page's own headings are h1 and h2.
  return h(`h${Math.min((block.level ?? 1) + 2, 6)}`, { class: "block-title" }, textObject(block.text, ctx.names));
}

function context(block, ctx) {
  return (block.elements ?? []).map((one) => (one.type === "image" ? h("img", { class: "tiny", src: one.image_url, alt: one.alt_text ?? "" }) : h("span", {}, textObject(one, ctx.names))));
}

function actions(block, ctx) {
  return (block.elements ?? []).map((one) => element(one, block, ctx));
}

function image(block, ctx) {
  const picture = h("img", { class: "picture", src: block.image_url ?? block.slack_file?.url, alt: block.alt_text ?? "" });
  return h("figure", {}, block.title && h("figcaption", {}, textObject(block.title, ctx.names)), picture);
}

function alert(block, ctx) {
  const level = ["info", "warning", "error", "success"].includes(block.level) ? block.level : "default";
  const words = typeof block.text === "string" ? mrkdwn(block.text, ctx.names) : textObject(block.text, ctx.names);
  return h("div", { class: `alert alert-${level}`, role: "note" }, h("span", { class: "for-readers" }, level === "default" ? "" : `${level}: `), h("div", {}, words));
}

function container(block, ctx) {
  const title = block.rich_text_title ? richText(block.rich_text_title, ctx.names) : textObject(block.title, ctx.names);
  const about = block.subtitle && h("div", { class: "subtitle" }, textObject(block.subtitle, ctx.names));
  const inside = h("div", { class: "container-body" }, blocks(block.child_blocks, ctx));
  const width = `container width-${block.width ?? "standard"}`;
  if (!block.is_collapsible) return h("section", { class: width }, h("div", { class: "container-title" }, title, about), inside);
  const key = `${ctx.scope}/${block.block_id}`;
  return h("details", { class: width, open: !block.default_collapsed, data: { key } }, h("summary", { class: "container-title" }, title, about), inside);
}

function table(block, ctx) {
  const rows = (block.rows ?? []).map((row, index) => h("tr", {}, row.map((cell, column) => tableCell(cell, index, block.column_settings?.[column], ctx))));
  return h("div", { class: "table-wrap", tabindex: "0", role: "region", "aria-label": "Table" },
    h("table", {}, h("thead", {}, rows.slice(0, 1)), h("tbody", {}, rows.slice(1))));
}

function tableCell(cell, row, settings, ctx) {
  const inner = cell?.type === "rich_text" ? richText(cell, ctx.names) : String(cell?.text ?? cell?.value ?? "");
  const classes = [`align-${settings?.align ?? (cell?.type === "raw_number" ? "right" : "left")}`, settings?.is_wrapped ? "wrapped" : ""].join(" ").trim();
  return h(row ? "td" : "th", { class: classes, scope: row ? null : "col" }, inner);
}

function input(block, ctx) {
  const id = `field--${keyOf(ctx, block, block.element ?? {})}`;
  const problem = ctx.errors[block.block_id];
  const describedBy = [block.hint && `${id}--hint`, `${id}--error`].filter(Boolean).join(" ");
  const group = GROUPED.has(block.element?.type);
  const label = h(group ? "div" : "label", { class: "label", id: `${id}--label`, for: group ? null : id }, textObject(block.label, ctx.names), block.optional && h("span", { class: "optional" }, " (optional)"));
  const node = element(block.element ?? {}, block, ctx, { labelled: true, labelledBy: `${id}--label`, describedBy });
  const hint = block.hint && h("div", { class: "hint", id: `${id}--hint` }, textObject(block.hint, ctx.names));
  return [label, node, hint, h("div", { class: "error", id: `${id}--error`, hidden: !problem }, problem ?? "")];
}
