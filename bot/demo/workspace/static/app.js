// The page's desk: it holds what is open, sends what the person does, and draws after every frame.

import { completions, composer, relabel, withMentions } from "./composer.js";
import { refreshAgo } from "./dates.js";
import { byId, focusKey, h, refocus } from "./dom.js";
import { drawHome } from "./home.js";
import { author, drawMessages } from "./messages.js";
import { drawModal, modalState } from "./modal.js";
import { wireOutside } from "./outside.js";
import { closePanel, drawPanel } from "./panel.js";
import { addressFor, drawPlaces, drawSwitcher, messageInAddress, messageInLink, personInAddress } from "./sidebar.js";
import { Line } from "./socket.js";
import { channelMessages, displayName, emptyState, fold, isReply, namesOf, repliesByRoot } from "./store.js";

const AT_BOTTOM = 48; // pixels
const AGO_EVERY = 20_000;

/** Everything one open page needs, with no state elsewhere. */
function newDesk() {
  const desk = { state: emptyState(), place: null, channel: null, panel: null, line: null, epoch: 0, unread: new Set(), up: false, wanted: null };
  desk.workspace = {
    names: null,
    people: () => [...desk.state.users.values()].filter((one) => !one.deleted && !one.is_bot).map((one) => ({ id: one.id, name: one.name, label: displayName(one) })),
    channels: () => [...desk.state.channels.values()].map((one) => ({ id: one.id, label: one.name })),
  };
  desk.view = { scope: "channel", cache: new Map(), kept: new Map(), channel: null };
  desk.memory = {};
  desk.send = (frame) => desk.line.send(frame);
  desk.go = (place) => go(desk, place);
  desk.openThread = (ts) => openPanel(desk, { kind: "thread", ts });
  desk.modal = modalState(desk);
  return desk;
}

function forget(desk) {
  Object.assign(desk, { state: emptyState(), place: null, channel: null, panel: null, memory: {}, unread: new Set(), epoch: desk.epoch + 1 });
  desk.view.cache.clear();
  desk.view.kept.clear();
  desk.workspace.names = namesOf(desk.state);
  byId("home").replaceChildren();
  drawModal(desk.modal);
}

function follow(desk, person) {
  desk.line?.close();
  forget(desk);
  desk.line = new Line(person, {
    frame: (frame) => receive(desk, frame),
    up: () => { desk.up = true; bar(null); },
    down: (pause) => { desk.up = false; bar(`Connection lost. Trying again in ${Math.max(1, Math.round(pause / 1000))} s.`, () => desk.line.connect()); },
  });
}

function bar(text, retry) {
  const node = byId("bar");
  node.hidden = !text;
  node.replaceChildren(...(text ? [text, " ", h("button", { type: "button", on: { click: retry } }, "Try now")] : []));
}

function receive(desk, frame) {
  const bottom = atBottom();
  fold(desk.state, frame);
  if (frame.type === "hello") welcome(desk);
  draw(desk);
  if (frame.type === "hello" && !focusKey() && document.activeElement === document.body) byId("composer-text").focus();
  announce(desk, frame);
  settle(desk, frame, bottom);
  if (frame.type === "hello" && desk.wanted) show(desk, desk.wanted);
}

function welcome(desk) {
  desk.epoch += 1;
  desk.workspace.names = namesOf(desk.state);
  if (!desk.state.channels.has(desk.channel)) desk.channel = [...desk.state.channels.keys()].find((id) => !id.startsWith("D")) ?? null;
  desk.place ??= desk.channel;
}

function draw(desk) {
  const focused = focusKey();
  const { state, channel } = desk;
  const isHome = desk.place === "home";
  byId("channel").hidden = isHome;
  byId("home").hidden = !isHome;
  drawHeader(desk, isHome);
  drawPlaces(desk);
  if (isHome) drawHome(byId("home"), desk, desk.memory);
  Object.assign(desk.view, { channel, replies: repliesByRoot(state, channel) });
  drawMessages(byId("messages"), channelMessages(state, channel), desk, desk.view);
  drawPanel(desk);
  drawModal(desk.modal);
  if (!desk.modal.dialog.open) refocus(focused);
}

function drawHeader(desk, isHome) {
  const channel = desk.state.channels.get(desk.channel);
  const isDirect = channel?.id.startsWith("D");
  const title = isHome || isDirect ? displayName(desk.state.bot) : `# ${channel?.name ?? ""}`;
  byId("place-title").textContent = title;
  byId("place-about").textContent = isHome ? "Home" : isDirect ? "Direct messages" : `${channel?.members?.length ?? 0} members`;
  document.title = `${title} – as ${displayName(desk.state.me)}`;
  const pins = (desk.state.pins.get(desk.channel) ?? []).length;
  byId("pins-button").hidden = isHome;
  byId("pins-button").textContent = `📌 ${pins} pinned`;
  byId("pins-button").setAttribute("aria-expanded", String(desk.panel?.kind === "pins"));
  byId("outside-button").setAttribute("aria-expanded", String(desk.panel?.kind === "outside"));
  relabel(desk.composer, isDirect ? `Message ${title}` : `Message #${channel?.name ?? ""}, or type a / command`);
}

function announce(desk, frame) {
  if (frame.type === "notice") byId("announcer").textContent = frame.text;
  if (frame.type !== "message" && frame.type !== "ephemeral") return;
  const { message, channel } = frame;
  if (channel !== desk.place) desk.unread.add(channel);
  const words = message.text || byId("messages").querySelector(`[data-ts="${CSS.escape(message.ts)}"] .content`)?.textContent || "";
  byId("announcer").textContent = `${displayName(author(message, desk.state))}: ${words}`;
  if (channel !== desk.place) drawPlaces(desk);
}

function atBottom() {
  const { scrollHeight, scrollTop, clientHeight } = byId("scroller");
  return scrollHeight - scrollTop - clientHeight < AT_BOTTOM;
}

function settle(desk, frame, wasAtBottom) {
  const isNew = ["message", "ephemeral", "notice"].includes(frame.type) && (frame.channel ?? desk.channel) === desk.channel && !(frame.message && isReply(frame.message));
  const mine = frame.message?.user === desk.state.me?.id;
  if (wasAtBottom || frame.type === "hello" || (isNew && mine)) return toBottom();
  if (isNew) byId("newest").hidden = false;
}

function toBottom() {
  byId("scroller").scrollTop = byId("scroller").scrollHeight;
  byId("newest").hidden = true;
}

function go(desk, place) {
  Object.assign(desk, { place, panel: place === "home" || place !== desk.channel ? null : desk.panel });
  desk.unread.delete(place);
  if (place === "home") desk.send({ type: "open_home" });
  else desk.channel = place;
  draw(desk);
  if (place === "home") byId("home").focus();
  else { toBottom(); byId("composer-text").focus(); }
}

/** Go to one message, in its thread when it is a reply, and mark it for a moment. */
function show(desk, { channel, ts }) {
  desk.wanted = null;
  const message = desk.state.messages.get(channel)?.get(ts);
  if (!message) return localNotice(desk, "That message is not here any more, or you are not in its channel.");
  if (desk.place !== channel) go(desk, channel);
  if (isReply(message)) openPanel(desk, { kind: "thread", ts: message.thread_ts });
  const node = byId(isReply(message) ? "panel-messages" : "messages").querySelector(`[data-ts="${CSS.escape(ts)}"]`);
  node.scrollIntoView({ block: "center" });
  node.classList.add("sought");
  node.addEventListener("animationend", () => node.classList.remove("sought"));
}

function followLink(desk, event) {
  const wanted = messageInLink(event.target.closest?.("a[href]")?.href ?? "");
  if (!wanted || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  show(desk, wanted);
}

function openPanel(desk, panel) {
  const same = desk.panel?.kind === panel.kind && desk.panel.ts === panel.ts;
  desk.panel = same && panel.kind !== "thread" ? null : { ...panel, opener: focusKey() };
  draw(desk);
  if (desk.panel?.kind === "thread") byId("reply-text").focus();
}

function localNotice(desk, text) {
  receive(desk, { type: "notice", text, channel: desk.channel });
}

async function write(desk, text, thread) {
  if (!desk.up) {
    localNotice(desk, "Not connected: your text was not sent. It is kept in the box.");
    return false;
  }
  const frame = text.startsWith("/") ? command(desk, text, thread) : { type: "say", channel: desk.channel, text: withMentions(text, everyone(desk)), thread_ts: thread };
  if (!frame) return false;
  const answer = await desk.send(frame);
  if (!answer.ok && frame.type === "say") localNotice(desk, `Your message was not sent: ${answer.error}.`);
  return answer.ok || frame.type === "command";
}

function command(desk, text, thread) {
  const name = text.split(/\s/)[0];
  const known = desk.state.commands.includes(name);
  if (known && !thread) return { type: "command", channel: desk.channel, text };
  localNotice(desk, known ? `${name} cannot be used in a thread: type it in the channel.` : `${name} is not a command here. Commands: ${desk.state.commands.join(", ")}.`);
  return null;
}

function everyone(desk) {
  const { bot } = desk.state;
  return [...desk.workspace.people(), ...(bot ? [{ id: bot.id, name: bot.name, label: displayName(bot) }] : [])];
}

function wire(desk) {
  const offers = (text) => completions(text, desk.state.commands, everyone(desk));
  desk.composer = composer(byId("composer"), { id: "composer-text", label: "Message", offers, submit: (text) => write(desk, text) });
  desk.reply = composer(byId("reply"), { id: "reply-text", label: "Reply in the thread", offers: (text) => (text.startsWith("/") ? [] : offers(text)), submit: (text) => write(desk, text, desk.panel?.ts) });
  byId("newest").addEventListener("click", toBottom);
  byId("scroller").addEventListener("scroll", () => { if (atBottom()) byId("newest").hidden = true; });
  byId("pins-button").addEventListener("click", () => openPanel(desk, { kind: "pins" }));
  wireOutside(desk, () => openPanel(desk, { kind: "outside" }));
  byId("panel-close").addEventListener("click", () => { closePanel(desk); draw(desk); });
  byId("panel").addEventListener("keydown", (event) => { if (event.key === "Escape") { closePanel(desk); draw(desk); } });
  document.addEventListener("click", (event) => followLink(desk, event));
  window.addEventListener("online", () => desk.line?.connect());
  setInterval(() => refreshAgo(document), AGO_EVERY);
}

async function start() {
  const desk = newDesk();
  wire(desk);
  const people = await (await fetch("/ui/people")).json();
  const enter = () => {
    desk.wanted = messageInAddress();
    const asked = personInAddress() ?? localStorage.getItem("as");
    const me = people.some((one) => one.id === asked) ? asked : people[0].id;
    localStorage.setItem("as", me);
    if (me !== personInAddress()) history.replaceState(null, "", addressFor(me));
    drawSwitcher(people, me);
    follow(desk, me);
  };
  window.addEventListener("hashchange", enter);
  enter();
}

start().catch((problem) => bar(`The workspace could not be loaded: ${problem.message}`, () => location.reload()));
