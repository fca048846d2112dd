// The markdown block: standard Markdown, the part of it Slack draws
// (docs.slack.dev/reference/block-kit/blocks/markdown-block).

import { h } from "./dom.js";
import { emojiNode, link, mention } from "./mrkdwn.js";

const RULES = [
  [/^```[^\n]*\n([\s\S]*?)\n?```(?:\n|$)/, (found) => h("pre", {}, found[1])],
  [/^(#{1,6}) +([^\n]*)(?:\n|$)/, (found, names) => heading(found, names)],
  [/^(?:-{3,}|\*{3,}|_{3,})[ \t]*(?:\n|$)/, () => h("hr")],
  [/^(?:>[^\n]*(?:\n|$))+/, (found, names) => h("blockquote", {}, markdown(found[0].replace(/^> ?/gm, ""), names))],
  [/^\|[^\n]*\|[ \t]*\n\|[-:| \t]+\|[ \t]*(?:\n\|[^\n]*\|[ \t]*)*(?:\n|$)/, (found, names) => table(found[0], names)],
  [/^(?:[ \t]*[-*+] [^\n]*(?:\n|$))+/, (found, names) => list("ul", found[0], names)],
  [/^(?:[ \t]*\d+[.)] [^\n]*(?:\n|$))+/, (found, names) => list("ol", found[0], names)],
  [/^\s*\n/, () => null],
];

const INLINE = [
  [/^\\([\\`*_~[\]()#>!-])/, (found) => found[1]],
  [/^`([^`\n]+)`/, (found) => h("code", {}, found[1])],
  [/^!?\[([^\]\n]*)\]\(([^()\s]+)\)/, (found, names) => link(found[2], h("span", {}, spans(found[1], names)))],
  [/^<(https?:[^<>\s]+)>/, (found) => link(found[1])],
  [/^<@([UW]\w+)>/, (found, names) => mention(`@${names.user(found[1]) ?? found[1]}`, names.isMe(found[1]))],
  [/^<#(C\w+)>/, (found, names) => mention(`#${names.channel(found[1]) ?? found[1]}`)],
  [/^\*\*(?=\S)([^\n]+?)\*\*/, (found, names) => h("strong", {}, spans(found[1], names))],
  [/^__(?=\S)([^\n]+?)__/, (found, names) => h("strong", {}, spans(found[1], names))],
  [/^~~(?=\S)([^\n]+?)~~/, (found, names) => h("s", {}, spans(found[1], names))],
  [/^\*(?=\S)([^*\n]+?)\*/, (found, names) => h("em", {}, spans(found[1], names))],
  [/^_(?=\S)([^_\n]+?)_(?!\w)/, (found, names) => h("em", {}, spans(found[1], names))],
  [/^:([a-z0-9_+'-]+):/, (found) => emojiNode(found[1])],
  [/^https?:\/\/[^\s<>()]+/, (found) => link(found[0])],
  [/^ {2}\n/, () => h("br")],
  [/^(?:[A-Za-z0-9]+|[\s\S])/, (found) => found[0]],
];

/** A Markdown text as nodes. */
export function markdown(text, names) {
  const nodes = [];
  for (let rest = text; rest;) {
    const [node, length] = firstMatch(RULES, rest, names) ?? paragraph(rest, names);
    nodes.push(node);
    rest = rest.slice(length);
  }
  return nodes;
}

function firstMatch(rules, text, names) {
  for (const [pattern, draw] of rules) {
    const found = pattern.exec(text);
    if (found) return [draw(found, names), found[0].length];
  }
  return null;
}

function paragraph(text, names) {
  const found = /^[^\n]+(?:\n(?![ \t]*(?:\n|#{1,6} |[-*+] |\d+[.)] |>|```|\|))[^\n]+)*\n?/.exec(text);
  const whole = found?.[0] ?? text;
  return [h("p", {}, spans(whole.trim(), names)), whole.length];
}

function spans(text, names) {
  const nodes = [];
  for (let rest = text; rest;) {
    const [node, length] = firstMatch(INLINE, rest, names);
    nodes.push(node);
    rest = rest.slice(length);
  }
  return nodes;
}

function heading(found, names) {
  // The page's own headings are h1 and h2, so a message's headings start below them.
  return h(`h${Math.min(found[1].length + 2, 6)}`, {}, spans(found[2].trim(), names));
}

function list(tag, text, names) {
  const rows = text.replace(/\n$/, "").split("\n");
  return h(tag, { class: "rich-list" }, rows.map((row) => listItem(row, names)));
}

function listItem(row, names) {
  const [, indent, rest] = /^([ \t]*)(?:[-*+]|\d+[.)]) (.*)$/.exec(row);
  const task = /^\[([ xX])\] (.*)$/.exec(rest);
  const mark = task ? h("span", { role: "img", "aria-label": task[1] === " " ? "to do" : "done" }, task[1] === " " ? "☐ " : "☑ ") : null;
  return h("li", { class: indent.length > 1 ? "deeper" : null }, mark, spans(task ? task[2] : rest, names));
}

function table(text, names) {
  const rows = text.trim().split("\n").map((row) => row.trim().slice(1, -1).split("|").map((cell) => cell.trim()));
  const head = h("tr", {}, rows[0].map((cell) => h("th", { scope: "col" }, spans(cell, names))));
  const body = rows.slice(2).map((row) => h("tr", {}, row.map((cell) => h("td", {}, spans(cell, names)))));
  return h("div", { class: "table-wrap" }, h("table", {}, h("thead", {}, head), h("tbody", {}, body)));
}
