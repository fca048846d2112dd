// Small helpers to build the page. Everything shown is a DOM node made here, never parsed HTML,
// so text from a person or a bot cannot become markup.

const SPECIAL = {
  class: (node, value) => { node.className = value; },
  data: (node, value) => Object.assign(node.dataset, value),
  on: (node, value) => Object.entries(value).forEach(([name, run]) => node.addEventListener(name, run)),
  props: (node, value) => Object.assign(node, value),
};

/** An element with attributes and children; `null`, `undefined` and `false` are left out. */
export function h(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (SPECIAL[name]) SPECIAL[name](node, value);
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  return add(node, children);
}

/** Append nodes and texts, however deeply nested the lists are. */
export function add(node, children) {
  for (const child of [children].flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    node.append(child);
  }
  return node;
}

/** The element of index.html with this id. */
export function byId(id) {
  return document.getElementById(id);
}

/**
 * Make `list` hold exactly `items` ({key, signature, build(old)}), keeping every node whose signature
 * did not change. Focus and opened details inside a replaced node are carried over.
 */
export function reconcile(list, items, cache) {
  const focused = focusKey();
  const wanted = items.map((item) => nodeFor(item, cache));
  const keys = new Set(items.map((item) => item.key));
  for (const key of cache.keys()) if (!keys.has(key)) cache.delete(key);
  wanted.forEach((node, index) => {
    if (list.children[index] !== node) list.insertBefore(node, list.children[index] ?? null);
  });
  while (list.children.length > wanted.length) list.lastElementChild.remove();
  refocus(focused);
}

function nodeFor(item, cache) {
  const known = cache.get(item.key);
  if (known && known.signature === item.signature) return known.node;
  const node = item.build(known?.node);
  if (known) copyOpened(known.node, node);
  cache.set(item.key, { signature: item.signature, node });
  return node;
}

/** Carry the opened or closed state of `<details data-key>` from an old drawing to the new one. */
export function copyOpened(before, after) {
  const opened = new Map([...before.querySelectorAll("details[data-key]")].map((one) => [one.dataset.key, one.open]));
  for (const one of after.querySelectorAll("details[data-key]")) {
    if (opened.has(one.dataset.key)) one.open = opened.get(one.dataset.key);
  }
}

/** The key of the element that has the focus, if it is one we can find again. */
export function focusKey() {
  return document.activeElement?.dataset?.key ?? null;
}

/** Give the focus back to the element with that key, when a redraw took it away. */
export function refocus(key) {
  if (!key || focusKey() === key) return;
  document.querySelector(`[data-key="${CSS.escape(key)}"]`)?.focus({ preventScroll: true });
}
