// plan and task_card (docs.slack.dev/reference/block-kit/blocks/plan-block): steps with their state.

import { h } from "./dom.js";
import { link, plain, textObject } from "./mrkdwn.js";
import { richText } from "./richtext.js";

const STATES = {
  pending: ["Pending", ""],
  in_progress: ["In progress", ""],
  complete: ["Complete", "✓"],
  error: ["Error", "!"],
};

/** A titled list of task cards. */
export function plan(block, ctx) {
  const tasks = block.tasks ?? [];
  const title = typeof block.title === "string" ? plain(block.title) : textObject(block.title, ctx.names);
  const head = h("div", { class: "plan-title" }, h("strong", {}, title));
  return h("div", { class: "plan" }, head, h("ol", {}, tasks.map((task) => h("li", {}, taskCard(task, ctx)))));
}

/** One step: its state, its title, and what can be unfolded. */
export function taskCard(task, ctx) {
  const status = STATES[task.status] ? task.status : "pending";
  const title = typeof task.title === "string" ? plain(task.title) : textObject(task.title, ctx.names);
  const head = [mark(status), h("span", { class: "task-title" }, title)];
  const inside = more(task, ctx);
  const classes = `task task-${status}`;
  if (!inside.length) return h("div", { class: classes, data: { task: task.task_id ?? "" } }, h("div", { class: "task-head" }, head));
  // The state is part of the key: a step that moved on is folded or unfolded anew.
  const key = `${ctx.scope}/task/${task.task_id}/${status}`;
  const open = status === "in_progress" || status === "error";
  return h("details", { class: classes, open, data: { key, task: task.task_id ?? "" } }, h("summary", { class: "task-head" }, head), inside);
}

function mark(status) {
  const [words, glyph] = STATES[status];
  return [h("span", { class: `mark mark-${status}`, "aria-hidden": "true" }, glyph), h("span", { class: "for-readers" }, `${words}: `)];
}

function more(task, ctx) {
  const parts = [["Details", task.details], ["Output", task.output]].filter(([, value]) => value);
  const drawn = parts.map(([label, value]) => h("div", { class: `task-part task-${label.toLowerCase()}` }, h("div", { class: "task-label" }, label), richText(value, ctx.names)));
  const sources = task.sources?.length ? [h("div", { class: "task-part task-sources" }, task.sources.map((one) => link(one.url ?? "", one.text ?? one.url)))] : [];
  return [...drawn, ...sources];
}
