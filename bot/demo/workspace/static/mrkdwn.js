// Slack's mrkdwn (docs.slack.dev/messaging/formatting-message-text) drawn as DOM nodes.

import { emojiFor } from "./emoji.js";
import { fillTokens, fullTime } from "./dates.js";
import { h } from "./dom.js";

const MARKS = { "*": "strong", _: "em", "~": "s" };
const ENTITIES = { "&amp;": "&", "&lt;": "<", "&gt;": ">" };
const SAFE = /^(https?:|mailto:|tel:)/i;
const PLAIN = /^[^`<:*_~&]+/;

/** Undo Slack's three escapes. */
export function unescape(text) {
  return text.replace(/&(amp|lt|gt);/g, (found) => ENTITIES[found]);
}

/** Write a person's text the way Slack stores it. */
export function escape(text) {
  return text.replace(/[&<>]/g, (one) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;" })[one]);
}

/** A link that leaves this page, or the bare text when the address is not one we follow. */
export function link(url, label) {
  if (!SAFE.test(url)) return h("span", {}, label ?? url);
  return h("a", { href: url, target: "_blank", rel: "noopener noreferrer" }, label ?? url);
}

/** A moment in the reader's time zone. */
export function dateNode(epoch, template, fallback, url) {
  const seconds = Number(epoch);
  if (!Number.isFinite(seconds)) return h("span", {}, fallback ?? "");
  const text = fillTokens(template, seconds);
  const about = { datetime: new Date(seconds * 1000).toISOString(), title: fullTime(seconds) };
  const node = h("time", { ...about, data: { epoch: String(seconds), format: template } }, text);
  return url && SAFE.test(url) ? h("a", { href: url, target: "_blank", rel: "noopener noreferrer" }, node) : node;
}

/** A name that somebody is called by: a person, a group, a channel, or everyone. */
export function mention(text, mine = false) {
  return h("span", { class: mine ? "mention mention-me" : "mention" }, text);
}

/** An emoji with its name for screen readers, or the name as written. */
export function emojiNode(name) {
  const found = emojiFor(name);
  return found ? h("span", { class: "emoji", role: "img", "aria-label": name.replaceAll("_", " "), title: `:${name}:` }, found) : `:${name}:`;
}

/** Plain text: only escapes are undone and, unless told otherwise, emoji names are drawn. */
export function plain(text, withEmoji = true) {
  const parts = unescape(text).split(/(:[a-z0-9_+'-]+:)/);
  return parts.filter(Boolean).map((part) => (withEmoji && /^:[^:\s]+:$/.test(part) ? emojiNode(part.slice(1, -1)) : part));
}

/** A whole mrkdwn text: preformatted parts, quotes, bullet lines and formatted lines. */
export function mrkdwn(text, names) {
  const parts = String(text).split(/```\n?([\s\S]*?)\n?```/);
  return parts.flatMap((part, index) => (index % 2 ? [pre(part, names)] : lines(part, names)));
}

function pre(text, names) {
  return h("pre", {}, text.split(/(<[^<>\n]+>)/).map((part, index) => (index % 2 ? reference(part.slice(1, -1), names) : unescape(part))));
}

function lines(text, names) {
  const nodes = [];
  let rest = text.replace(/^\n|\n$/g, "");
  while (rest) {
    const [node, length] = quote(rest, names) ?? bullets(rest, names) ?? line(rest, names);
    nodes.push(...[node].flat());
    rest = rest.slice(length);
  }
  return nodes;
}

function quote(text, names) {
  const rest = /^(?:>>>|&gt;&gt;&gt;) ?([\s\S]*)/.exec(text);
  if (rest) return [h("blockquote", {}, lines(rest[1], names)), text.length];
  const found = /^(?:(?:>|&gt;) ?[^\n]*(?:\n|$))+/.exec(text);
  if (!found) return null;
  const inner = found[0].replace(/^(?:>|&gt;) ?/gm, "").replace(/\n$/, "");
  return [h("blockquote", {}, lines(inner, names)), found[0].length];
}

function bullets(text, names) {
  const found = /^(?:[ \t]*(?:•|◦|-) [^\n]*(?:\n|$))+/.exec(text);
  if (!found) return null;
  const rows = found[0].replace(/\n$/, "").split("\n");
  const items = rows.map((row) => h("li", { class: /^[ \t]/.test(row) ? "deeper" : null }, inline(row.replace(/^[ \t]*\S /, ""), names)));
  return [h("ul", { class: "bullets" }, items), found[0].length];
}

function line(text, names) {
  const end = text.indexOf("\n");
  const length = end < 0 ? text.length : end + 1;
  const nodes = inline(text.slice(0, end < 0 ? text.length : end), names);
  return [length < text.length || end >= 0 ? [...nodes, h("br")] : nodes, length];
}

/** One line of mrkdwn. */
export function inline(text, names) {
  const nodes = [];
  for (let at = 0; at < text.length;) {
    const [node, length] = token(text, at, names);
    nodes.push(...[node].flat());
    at += length;
  }
  return nodes;
}

function token(text, at, names) {
  const rest = text.slice(at);
  const found = PLAIN.exec(rest);
  if (found) return [found[0], found[0].length];
  return code(rest) ?? angled(rest, names) ?? colon(rest) ?? marked(text, at, names) ?? entity(rest);
}

function code(rest) {
  const found = /^`([^`]+)`/.exec(rest);
  return found && [h("code", {}, unescape(found[1])), found[0].length];
}

function angled(rest, names) {
  const found = /^<([^<>]+)>/.exec(rest);
  return found && [reference(found[1], names), found[0].length];
}

function colon(rest) {
  const found = /^:([a-z0-9_+'-]+):/.exec(rest);
  return found && emojiFor(found[1]) ? [emojiNode(found[1]), found[0].length] : null;
}

function marked(text, at, names) {
  const mark = text[at];
  if (!MARKS[mark] || (at > 0 && /[\p{L}\p{N}]/u.test(text[at - 1]))) return null;
  const escaped = mark === "*" ? "\\*" : mark;
  const found = new RegExp(`^${escaped}(?!\\s|${escaped})((?:[^${escaped}]*[^${escaped}\\s]))${escaped}(?![\\p{L}\\p{N}])`, "u").exec(text.slice(at));
  return found && [h(MARKS[mark], {}, inline(found[1], names)), found[0].length];
}

function entity(rest) {
  const found = /^&(amp|lt|gt);/.exec(rest);
  return found ? [ENTITIES[found[0]], found[0].length] : [rest[0], 1];
}

const SIGILS = {
  "@": (id, label, names) => mention(`@${names.user(id) ?? label ?? id}`, names.isMe(id)),
  "#": (id, label, names) => mention(`#${label || (names.channel(id) ?? id)}`),
  "!": (command, label, names) => special(command, label, names),
};

function reference(body, names) {
  const [target, ...rest] = body.split("|");
  const label = rest.length ? unescape(rest.join("|")) : undefined;
  const draw = SIGILS[target[0]];
  return draw ? draw(target.slice(1), label, names) : link(unescape(target), label);
}

function special(command, label, names) {
  const [kind, ...parts] = command.split("^");
  if (kind === "date") return dateNode(parts[0], unescape(parts[1] ?? ""), label, parts[2] && unescape(parts[2]));
  if (kind === "subteam") return mention(`@${names.group(parts[0]) ?? label?.replace(/^@/, "") ?? parts[0]}`, names.inGroup(parts[0]));
  return mention(label ?? `@${kind}`);
}

/** A text object of Block Kit. */
export function textObject(object, names) {
  if (!object) return [];
  if (typeof object === "string") return plain(object);
  return object.type === "mrkdwn" ? mrkdwn(object.text ?? "", names) : plain(object.text ?? "", object.emoji !== false);
}
