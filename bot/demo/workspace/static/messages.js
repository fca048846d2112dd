// One message, and the list of messages of a channel or a thread.

import { blocks, surface } from "./blocks.js";
import { clockTime, dayKey, dayName, fullTime } from "./dates.js";
import { h, reconcile } from "./dom.js";
import { readAll } from "./elements.js";
import { emojiNode, link, mrkdwn } from "./mrkdwn.js";
import { displayName } from "./store.js";

const TOGETHER = 300; // seconds in which messages of one author stand together
const COLOURS = 8;

/**
 * Fill a list. `desk` is the page's desk (see app.js); `view` is {scope, channel, replies, inThread}.
 * `cache` keeps the drawn nodes and `kept` what was entered in them.
 */
export function drawMessages(list, messages, desk, view) {
  const items = !messages.length && !view.inThread ? [beginning(desk, view)] : [];
  messages.forEach((message, index) => {
    const before = messages[index - 1];
    if (!view.inThread && (!before || dayKey(before.ts) !== dayKey(message.ts))) items.push(divider(message));
    const underRoot = view.inThread && index === 1;
    items.push(item(message, !underRoot && joined(before, message), desk, view));
  });
  reconcile(list, items, view.cache);
}

// An empty channel says what can be done in it.
function beginning(desk, view) {
  const name = desk.state.channels.get(view.channel)?.name ?? "";
  const build = () => h("li", { class: "beginning" },
    h("p", {}, h("strong", {}, name ? `This is the very beginning of #${name}.` : "Nothing has been said here yet.")),
    h("p", {}, "Type ", desk.state.commands.map((one) => h("code", {}, one)), " to see what the bot can do. At the left you choose who you are, and you can be several people in several tabs."));
  return { key: "beginning", signature: `${view.channel} ${name}`, build };
}

function divider(message) {
  const name = dayName(message.ts);
  const build = () => h("li", { class: "day", role: "separator", "aria-label": name }, h("span", {}, name));
  return { key: `day-${dayKey(message.ts)}`, signature: name, build };
}

function joined(before, message) {
  if (!before || message.is_ephemeral || before.is_ephemeral || message.notice) return false;
  const close = Number(message.ts) - Number(before.ts) < TOGETHER && dayKey(before.ts) === dayKey(message.ts);
  return close && authorId(before) === authorId(message);
}

function item(message, together, desk, view) {
  const key = message.key ?? message.ts;
  const pinned = (desk.state.pins.get(view.channel) ?? []).includes(message.ts);
  const about = { together, pinned, replies: view.replies?.get(message.ts) ?? [] };
  const signature = JSON.stringify([message, together, pinned, about.replies.map((one) => one.ts), desk.epoch]);
  return { key, signature, build: () => draw(message, about, desk, view) };
}

function authorId(message) {
  return message.notice ? "notice" : message.user ?? message.bot_id;
}

/** Who wrote it: a person, the bot, or this page's own notices. */
export function author(message, state) {
  if (message.notice) return { id: "notice", real_name: "Local workspace" };
  return state.users.get(message.user) ?? (message.bot_id || message.user === state.bot?.id ? state.bot : null) ?? { id: message.user ?? "unknown" };
}

function draw(message, about, desk, view) {
  const who = author(message, desk.state);
  const classes = ["message", about.together && "together", message.is_ephemeral && "only-you", about.pinned && "pinned", message.notice && "notice"];
  const ctx = context(message, desk, view);
  const body = h("div", { class: "body" },
    about.pinned && h("div", { class: "marker" }, h("span", { "aria-hidden": "true" }, "📌 "), "Pinned"),
    heading(message, who, about, desk),
    h("div", { class: "content" }, content(message, ctx)),
    files(message), reactions(message, desk), repliesLink(message, about, desk, view));
  view.kept.set(message.ts, () => readAll(ctx.fields));
  return h("li", { class: classes.filter(Boolean).join(" "), data: { ts: message.ts } }, avatar(who, about.together ? message : null), body);
}

function context(message, desk, view) {
  const ctx = surface(`${view.scope}/${message.ts}`, desk.workspace, (action) => {
    const frame = { type: "click", channel: view.channel, ts: message.ts, ...action };
    return desk.send(ctx.fields.length ? { ...frame, state: readAll(ctx.fields) } : frame);
  }, view.kept.get(message.ts)?.());
  return ctx;
}

/** A coloured square with the person's initials. */
export function avatar(who, instead = null) {
  if (instead) return h("span", { class: "gutter" }, h("time", { title: fullTime(instead.ts) }, clockTime(instead.ts).replace(/\s?[AP]M$/i, "")));
  const name = displayName(who);
  const initials = name.split(/[\s._-]+/).filter(Boolean).slice(0, 2).map((word) => word[0].toUpperCase()).join("");
  const colour = [...String(who.id)].reduce((sum, one) => sum + one.codePointAt(0), 0) % COLOURS;
  return h("span", { class: `avatar avatar-${colour}`, "aria-hidden": "true" }, initials);
}

function heading(message, who, about, desk) {
  const time = h("time", { class: "when", title: fullTime(message.ts), datetime: new Date(message.ts * 1000).toISOString() }, clockTime(message.ts));
  const isApp = who.is_bot || message.bot_id || who.id === desk.state.bot?.id;
  const only = message.is_ephemeral && h("span", { class: "only" }, "Only visible to you");
  if (about.together) return h("div", { class: "for-readers" }, displayName(who), " ", time.cloneNode(true));
  return h("div", { class: "heading" }, h("strong", { class: "author" }, displayName(who)), isApp && h("span", { class: "app" }, "APP"), time, only);
}

function content(message, ctx) {
  const edited = message.edited && h("span", { class: "edited" }, "(edited)");
  const main = hasBlocks(message) ? blocks(message.blocks, ctx) : h("div", { class: "text" }, mrkdwn(message.text ?? "", ctx.names), edited && " ", edited);
  return [main, hasBlocks(message) ? edited : null, (message.attachments ?? []).map((one) => attachment(one, ctx))];
}

// What people type comes with one rich_text block that only repeats the text without its formatting.
function hasBlocks(message) {
  const typed = !message.bot_id && message.text && message.blocks?.every((block) => block.type === "rich_text");
  return Boolean(message.blocks?.length) && !typed;
}

function attachment(one, ctx) {
  const node = h("div", { class: "attachment" }, one.blocks?.length ? blocks(one.blocks, ctx) : h("div", { class: "text" }, mrkdwn(one.text ?? one.fallback ?? "", ctx.names)));
  if (/^#?[0-9a-f]{6}$/i.test(one.color ?? "")) node.style.borderColor = `#${one.color.replace("#", "")}`;
  return node;
}

function files(message) {
  if (!message.files?.length) return null;
  return h("ul", { class: "files" }, message.files.map((file) => h("li", {}, h("span", { class: "file-mark", "aria-hidden": "true" }, "📄"), fileLink(file), h("span", { class: "file-about" }, size(file.size)), picture(file))));
}

// A picture is shown below its name, as Slack shows one; whoever cannot see it is told what is to be seen.
function picture(file) {
  if (!file.mimetype?.startsWith("image/")) return null;
  return h("a", { class: "shown", href: file.url, target: "_blank", rel: "noopener" }, h("img", { class: "picture", src: file.url, alt: file.alt_txt || file.title || file.name }));
}

function fileLink(file) {
  const url = file.url ?? file.url_private ?? "";
  const label = file.title || file.name || "file";
  // A file of this workspace has an address on this page's own host.
  return url.startsWith("/") ? h("a", { href: url, target: "_blank", rel: "noopener" }, label) : link(url, label);
}

function size(bytes) {
  if (!Number.isFinite(bytes)) return "";
  return bytes < 1024 ? `${bytes} B` : bytes < 1_048_576 ? `${(bytes / 1024).toFixed(1)} kB` : `${(bytes / 1_048_576).toFixed(1)} MB`;
}

function reactions(message, desk) {
  if (!message.reactions?.length) return null;
  const names = desk.workspace.names;
  return h("ul", { class: "reactions", "aria-label": "Reactions" }, message.reactions.map((one) => {
    const users = one.users ?? [];
    return h("li", { title: users.map((id) => names.user(id) ?? id).join(", "), class: users.includes(desk.state.me?.id) ? "mine" : null }, emojiNode(one.name), ` ${one.count ?? users.length}`);
  }));
}

function repliesLink(message, about, desk, view) {
  if (view.inThread || message.notice) return null;
  const count = about.replies.length;
  const open = () => desk.openThread(message.ts);
  if (!count) return message.is_ephemeral ? null : h("button", { type: "button", class: "reply-first quiet", data: { key: `thread/${message.ts}` }, on: { click: open } }, "Reply in thread");
  const last = about.replies.at(-1);
  return h("button", { type: "button", class: "replies", data: { key: `thread/${message.ts}` }, on: { click: open } },
    `${count} ${count === 1 ? "reply" : "replies"}`, h("span", { class: "last-reply" }, ` last at ${clockTime(last.ts)}`));
}
