// Elements that hold a value (docs.slack.dev/reference/block-kit/block-elements). Each maker returns
// {node, control, read}: what to show, what takes the focus, and the value as Slack's state writes it.

import { h } from "./dom.js";
import { plain, textObject } from "./mrkdwn.js";

const KEPT = {
  value: "initial_value", selected_option: "initial_option", selected_options: "initial_options",
  selected_date: "initial_date", selected_time: "initial_time", selected_date_time: "initial_date_time",
  selected_user: "initial_user", selected_users: "initial_users", selected_channel: "initial_channel",
  selected_conversation: "initial_conversation", rich_text_value: "initial_value",
};

/** What each type draws; other types are not drawn. */
export const FIELDS = {
  plain_text_input: (one, env) => (one.multiline ? area(one, env) : input("text", one, env)),
  email_text_input: (one, env) => input("email", one, env),
  url_text_input: (one, env) => input("url", one, env),
  number_input: number,
  rich_text_input: richInput,
  static_select: (one, env) => select(options(one), one, env, "selected_option", one.initial_option),
  users_select: (one, env) => choose(people(env), one, env, "selected_user", one.initial_user),
  channels_select: (one, env) => choose(env.channels, one, env, "selected_channel", one.initial_channel),
  conversations_select: (one, env) => choose(env.channels, one, env, "selected_conversation", one.initial_conversation),
  multi_static_select: (one, env) => ticks("checkbox", options(one), one, env),
  checkboxes: (one, env) => ticks("checkbox", options(one), one, env),
  radio_buttons: (one, env) => ticks("radio", options(one), one, env),
  multi_users_select: multiUsers,
  datepicker: (one, env) => moment("date", one, env, "selected_date", one.initial_date),
  timepicker: (one, env) => moment("time", one, env, "selected_time", one.initial_time),
  datetimepicker: dateTime,
};

/** Types drawn as a group of controls, which need a legend and not a label. */
export const GROUPED = new Set(["multi_static_select", "checkboxes", "radio_buttons", "multi_users_select"]);

/** The element with what the person had already entered in place of its initial value. */
export function withKept(element, kept) {
  if (!kept) return element;
  const initial = Object.entries(kept).filter(([key]) => KEPT[key]).map(([key, value]) => [KEPT[key], value ?? undefined]);
  return { ...element, ...Object.fromEntries(initial) };
}

function common(element, env) {
  const label = env.labelled ? null : element.accessibility_label ?? element.placeholder?.text ?? element.action_id;
  return { id: env.id, "aria-label": label, "aria-describedby": env.describedBy, data: { key: env.key } };
}

function placeholder(element) {
  return element.placeholder ? element.placeholder.text : null;
}

function input(type, element, env) {
  const limits = { minlength: element.min_length, maxlength: element.max_length };
  const node = h("input", { ...common(element, env), ...limits, type, placeholder: placeholder(element), autocomplete: "off",
    props: { value: element.initial_value ?? "" }, on: { change: env.changed } });
  return { node, control: node, read: () => ({ value: node.value || null }) };
}

function area(element, env) {
  const limits = { minlength: element.min_length, maxlength: element.max_length };
  const node = h("textarea", { ...common(element, env), ...limits, rows: 4, placeholder: placeholder(element),
    props: { value: element.initial_value ?? "" }, on: { change: env.changed } });
  return { node, control: node, read: () => ({ value: node.value || null }) };
}

function number(element, env) {
  const limits = { min: element.min_value, max: element.max_value, step: element.is_decimal_allowed ? "any" : "1" };
  const node = h("input", { ...common(element, env), ...limits, type: "number", placeholder: placeholder(element),
    props: { value: element.initial_value ?? "" }, on: { change: env.changed } });
  return { node, control: node, read: () => ({ value: node.value || null }) };
}

function richInput(element, env) {
  const section = (text) => ({ type: "rich_text_section", elements: [{ type: "text", text }] });
  const words = (element.initial_value?.elements ?? []).flatMap((part) => part.elements ?? []).map((one) => one.text ?? "").join("");
  const field = area({ ...element, initial_value: words }, env);
  const read = () => ({ rich_text_value: field.node.value ? { type: "rich_text", elements: [section(field.node.value)] } : null });
  return { ...field, read };
}

function options(element) {
  const groups = element.option_groups ?? [{ label: null, options: element.options ?? [] }];
  return groups.flatMap((group) => group.options.map((option) => ({ option, group: group.label?.text ?? null })));
}

function select(entries, element, env, key, initial) {
  const chosen = entries.findIndex(({ option }) => option.value === initial?.value);
  const texts = entries.map(({ option }, index) => h("option", { value: index, selected: index === chosen }, plain(option.text.text).map((part) => part.textContent ?? part)));
  const node = h("select", { ...common(element, env), on: { change: env.changed } },
    h("option", { value: "" }, placeholder(element) ?? "Choose an option"), grouped(entries, texts));
  return { node, control: node, read: () => ({ [key]: node.value === "" ? null : entries[Number(node.value)].option }) };
}

function grouped(entries, nodes) {
  const names = [...new Set(entries.map(({ group }) => group))];
  const of = (name) => nodes.filter((_, index) => entries[index].group === name);
  return names.map((name) => (name === null ? of(name) : h("optgroup", { label: name }, of(name))));
}

function asEntries(things) {
  return things.map(({ id, label }) => ({ group: null, option: { text: { type: "plain_text", text: label }, value: id } }));
}

function people(env) {
  return env.people;
}

function choose(things, element, env, key, initial) {
  const field = select(asEntries(things), element, env, key, initial ? { value: initial } : null);
  const read = () => ({ [key]: field.read()[key]?.value ?? null });
  return { ...field, read };
}

function ticks(type, entries, element, env) {
  const single = type === "radio";
  const initial = new Set((single ? [element.initial_option] : element.initial_options ?? []).filter(Boolean).map((one) => one.value));
  const rows = entries.map((entry, index) => tick(type, entry.option, index, initial.has(entry.option.value), element, env));
  const node = h("div", { class: rows.length > 10 ? "ticks tall" : "ticks", role: single ? "radiogroup" : "group", "aria-labelledby": env.labelled ? env.labelledBy : null,
    "aria-describedby": env.describedBy, on: { change: env.changed } }, rows);
  const boxes = [...node.querySelectorAll("input")];
  const picked = () => entries.filter((_, index) => boxes[index].checked).map(({ option }) => option);
  return { node, control: boxes[0] ?? node, controls: boxes, read: () => (single ? { selected_option: picked()[0] ?? null } : { selected_options: picked() }) };
}

function tick(type, option, index, checked, element, env) {
  const box = h("input", { type, name: env.id, id: `${env.id}--${index}`, props: { checked }, data: { key: `${env.key}/${index}` } });
  const words = [h("span", { class: "tick-text" }, textObject(option.text, env.names)), option.description && h("span", { class: "tick-about" }, textObject(option.description, env.names))];
  return h("label", { class: "tick" }, box, h("span", {}, words));
}

function multiUsers(element, env) {
  const initial = (element.initial_users ?? []).map((id) => ({ value: id }));
  const field = ticks("checkbox", asEntries(people(env)), { ...element, initial_options: initial }, env);
  return { ...field, read: () => ({ selected_users: field.read().selected_options.map((option) => option.value) }) };
}

function moment(type, element, env, key, initial) {
  const node = h("input", { ...common(element, env), type, props: { value: initial ?? "" }, on: { change: env.changed } });
  return { node, control: node, read: () => ({ [key]: node.value || null }) };
}

function dateTime(element, env) {
  const field = moment("datetime-local", element, env, "local", localText(element.initial_date_time));
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const node = h("span", { class: "with-note" }, field.node, h("span", { class: "note" }, `Your time zone: ${zone}`));
  const read = () => ({ selected_date_time: field.node.value ? Math.floor(new Date(field.node.value).getTime() / 1000) : null });
  return { node, control: field.node, read };
}

function localText(epoch) {
  if (!epoch) return "";
  const date = new Date(epoch * 1000);
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}
