// The left column: where one can go, who is here, and who one acts as.

import { byId, h } from "./dom.js";
import { avatar } from "./messages.js";
import { displayName } from "./store.js";

/** The person this tab acts as, from the address; `null` when it names nobody. */
export function personInAddress() {
  return new URLSearchParams(location.hash.slice(1)).get("as");
}

/** The message that a permalink's address names, as {channel, ts}, or `null`. */
export function messageInAddress() {
  const found = /^#([CDG]\w+)\/(\d+\.\d+)$/.exec(location.hash) ?? null;
  return found && { channel: found[1], ts: found[2] };
}

/** The message that a link to this workspace names (`/archives/C…/p…`), or `null`. */
export function messageInLink(href) {
  const found = new RegExp(`^${location.origin}/archives/(\\w+)/p(\\d+)(\\d{6})`).exec(href);
  return found && { channel: found[1], ts: `${found[2]}.${found[3]}` };
}

/** The address of this page acting as somebody. */
export function addressFor(person) {
  return `#as=${encodeURIComponent(person)}`;
}

/** Fill the switcher; choosing changes the address, which the page follows. */
export function drawSwitcher(people, me) {
  const select = byId("acting-as");
  const about = (one) => [displayName(one), what(one)].filter(Boolean).join(" – ");
  select.replaceChildren(...people.map((one) => h("option", { value: one.id, selected: one.id === me }, about(one))));
  select.onchange = () => { location.hash = addressFor(select.value); };
  const other = people.find((one) => one.id !== me);
  byId("another-tab").href = addressFor(other?.id ?? me);
}

/** Channels, the app's Home, direct messages and people. */
export function drawPlaces(desk) {
  const { state } = desk;
  const channels = [...state.channels.values()];
  const rooms = channels.filter((one) => !isDirect(one));
  const direct = channels.filter(isDirect);
  byId("places").replaceChildren(
    group("Channels", rooms.map((one) => place(desk, one.id, `# ${one.name}`))),
    group("Apps", [place(desk, "home", `${displayName(state.bot)} – Home`), ...direct.map((one) => place(desk, one.id, `${displayName(state.bot)} – Messages`))]),
    group("People", people(state).map((one) => person(one, state.me))));
}

function isDirect(channel) {
  return channel.is_im || channel.id.startsWith("D");
}

function people(state) {
  return [...state.users.values()].filter((one) => !one.is_bot && one.id !== state.bot?.id && !one.deleted);
}

function group(name, rows) {
  const id = `group-${name.toLowerCase()}`;
  return h("section", { class: "group" }, h("h2", { id }, name), h("ul", { "aria-labelledby": id }, rows));
}

function place(desk, id, label) {
  const here = desk.place === id;
  const fresh = desk.unread.has(id);
  return h("li", {}, h("button", { type: "button", class: fresh ? "place unread" : "place", "aria-current": here ? "page" : null, data: { key: `place/${id}` }, on: { click: () => desk.go(id) } },
    label, fresh && h("span", { class: "dot" }, h("span", { class: "for-readers" }, "new messages"))));
}

// What people do here, in a word or two.
function what(one) {
  if (one.profile?.title) return one.profile.title;
  return one.is_stranger ? "other company" : one.is_restricted || one.is_ultra_restricted ? "guest" : "";
}

function person(one, me) {
  const active = one.id === me?.id || one.presence === "active";
  const words = one.id === me?.id ? "you" : active ? "active" : "away";
  return h("li", { class: "person" }, avatar(one), h("span", { class: "person-name" }, displayName(one), what(one) && h("small", {}, what(one))), h("span", { class: active ? "presence active" : "presence" }, words));
}
