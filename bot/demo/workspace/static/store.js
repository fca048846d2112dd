// What one person sees of the workspace, folded from the server's frames. No DOM here.

/** An empty state, for the time before `hello`. */
export function emptyState() {
  return {
    me: null, bot: null, users: new Map(), groups: new Map(), channels: new Map(), commands: [],
    messages: new Map(), ephemeral: new Map(), pins: new Map(), home: null, notices: [], views: [], viewErrors: {},
  };
}

const FOLDS = {
  hello: (state, frame) => welcome(state, frame),
  message: (state, frame) => put(state, "messages", frame),
  message_changed: (state, frame) => put(state, "messages", frame),
  message_deleted: (state, frame) => drop(state, "messages", frame),
  ephemeral: (state, frame) => put(state, "ephemeral", frame),
  ephemeral_changed: (state, frame) => put(state, "ephemeral", frame),
  ephemeral_deleted: (state, frame) => drop(state, "ephemeral", frame),
  pins: (state, frame) => state.pins.set(frame.channel, frame.pins),
  reactions: (state, frame) => react(state, frame),
  view: (state, frame) => VIEWS[frame.action]?.(state, frame),
  view_errors: (state, frame) => { state.viewErrors = { [frame.view_id]: frame.errors }; },
  home: (state, frame) => { state.home = frame.view; },
  notice: (state, frame) => state.notices.push({ text: frame.text, at: Date.now() / 1000, channel: frame.channel ?? null }),
};

const VIEWS = {
  open: (state, { view }) => { state.views = [view]; },
  push: (state, { view }) => { state.views = [...state.views, view]; },
  update: (state, { view }) => {
    // An update answers what was submitted, so the errors of the old drawing are over.
    state.viewErrors = {};
    const known = state.views.some((one) => one.id === view.id);
    state.views = known ? state.views.map((one) => (one.id === view.id ? view : one)) : [...state.views, view];
  },
  close: (state, frame) => closeView(state, frame.view_id),
  clear: (state) => { state.views = []; },
};

/** Change `state` by one frame of the server; an unknown frame changes nothing. */
export function fold(state, frame) {
  FOLDS[frame.type]?.(state, frame);
}

/** Take a view, and those pushed above it, away. */
export function closeView(state, id) {
  const at = state.views.findIndex((view) => view.id === id);
  if (at >= 0) state.views = state.views.slice(0, at);
}

function byKey(list, key = "id") {
  return new Map((list ?? []).map((one) => [one[key], one]));
}

function perChannel(lists) {
  return new Map(Object.entries(lists ?? {}).map(([channel, list]) => [channel, byKey(list, "ts")]));
}

function welcome(state, frame) {
  Object.assign(state, { me: frame.me, bot: frame.bot, commands: frame.commands ?? [], home: frame.home ?? null });
  state.users = byKey(frame.users);
  state.groups = byKey(frame.usergroups);
  state.channels = byKey(frame.channels);
  state.messages = perChannel(frame.messages);
  state.ephemeral = perChannel(frame.ephemeral);
  state.pins = new Map(Object.entries(frame.pins ?? {}));
  state.views = frame.views ?? state.views;
  [...state.messages.keys(), ...state.ephemeral.keys()].forEach((id) => know(state, id));
}

function know(state, channel) {
  if (!state.channels.has(channel)) state.channels.set(channel, { id: channel, name: channel, members: [] });
}

function put(state, kind, { channel, message }) {
  know(state, channel);
  if (!state[kind].has(channel)) state[kind].set(channel, new Map());
  state[kind].get(channel).set(message.ts, message);
}

function drop(state, kind, { channel, ts }) {
  state[kind].get(channel)?.delete(ts);
}

function react(state, { channel, ts, reactions }) {
  const message = state.messages.get(channel)?.get(ts);
  if (message) state.messages.get(channel).set(ts, { ...message, reactions });
}

function inOrder(messages) {
  return messages.sort((one, other) => Number(one.ts) - Number(other.ts));
}

function all(state, channel) {
  const kept = [...(state.messages.get(channel)?.values() ?? [])];
  const mine = [...(state.ephemeral.get(channel)?.values() ?? [])].map((one) => ({ ...one, is_ephemeral: true }));
  return inOrder([...kept, ...mine]);
}

/** Is this message an answer in a thread (and not also shown in the channel)? */
export function isReply(message) {
  return Boolean(message.thread_ts && message.thread_ts !== message.ts && message.subtype !== "thread_broadcast");
}

/** The channel's own messages, oldest first, with my ephemeral ones and my notices among them. */
export function channelMessages(state, channel) {
  const notices = state.notices.filter((one) => (one.channel ?? channel) === channel);
  const drawn = notices.map((one, index) => ({ ts: one.at.toFixed(6), key: `notice-${index}`, text: one.text, notice: true, is_ephemeral: true }));
  return inOrder([...all(state, channel).filter((one) => !isReply(one)), ...drawn]);
}

/** The root of a thread and its replies, oldest first. */
export function threadMessages(state, channel, root) {
  return all(state, channel).filter((one) => one.ts === root || (isReply(one) && one.thread_ts === root) || (one.thread_ts === root && one.subtype));
}

/** The replies of every thread of a channel: Map of root ts to messages. */
export function repliesByRoot(state, channel) {
  const found = new Map();
  for (const one of all(state, channel)) {
    if (!one.thread_ts || one.thread_ts === one.ts || one.is_ephemeral) continue;
    found.set(one.thread_ts, [...(found.get(one.thread_ts) ?? []), one]);
  }
  return found;
}

/** The pinned messages of a channel that we know, oldest first. */
export function pinnedMessages(state, channel) {
  const pins = new Set(state.pins.get(channel) ?? []);
  return all(state, channel).filter((one) => pins.has(one.ts));
}

/** How a person is called here. */
export function displayName(user) {
  return user?.real_name || user?.profile?.display_name || user?.name || user?.id || "someone";
}

/** Look-ups of names for drawing mentions. */
export function namesOf(state) {
  return {
    user: (id) => (state.users.has(id) ? displayName(state.users.get(id)) : state.bot?.id === id ? displayName(state.bot) : undefined),
    channel: (id) => state.channels.get(id)?.name,
    group: (id) => state.groups.get(id)?.handle ?? state.groups.get(id)?.name,
    isMe: (id) => state.me?.id === id,
    inGroup: (id) => Boolean(state.groups.get(id)?.users?.includes(state.me?.id)),
  };
}
