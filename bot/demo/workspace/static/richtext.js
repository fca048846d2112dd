// rich_text blocks (docs.slack.dev/reference/block-kit/blocks/rich-text-block).

import { h } from "./dom.js";
import { dateNode, emojiNode, link, mention } from "./mrkdwn.js";

const STYLES = [["code", "code"], ["bold", "strong"], ["italic", "em"], ["strike", "s"], ["underline", "u"]];

const INLINE = {
  text: (one) => one.text ?? "",
  emoji: (one) => emojiNode(one.name ?? ""),
  link: (one) => link(one.url ?? "", one.text || undefined),
  user: (one, names) => mention(`@${names.user(one.user_id) ?? one.user_id}`, names.isMe(one.user_id)),
  usergroup: (one, names) => mention(`@${names.group(one.usergroup_id) ?? one.usergroup_id}`, names.inGroup(one.usergroup_id)),
  channel: (one, names) => mention(`#${names.channel(one.channel_id) ?? one.channel_id}`),
  broadcast: (one) => mention(`@${one.range}`),
  date: (one) => dateNode(one.timestamp, one.format ?? "{date_short} {time}", one.fallback, one.url),
  color: (one) => h("code", {}, one.value ?? ""),
};

const PARTS = {
  rich_text_section: (part, names) => h("div", { class: "rich-section" }, pieces(part, names)),
  rich_text_quote: (part, names) => h("blockquote", {}, pieces(part, names)),
  rich_text_preformatted: (part, names) => h("pre", {}, pieces(part, names)),
  rich_text_list: list,
};

/** A rich_text object, as a block or inside a table cell or a task card. */
export function richText(block, names) {
  return h("div", { class: "rich" }, (block.elements ?? []).map((part) => partNode(part, names)));
}

function partNode(part, names) {
  const draw = PARTS[part.type];
  return draw ? draw(part, names) : h("div", { class: "unsupported" }, `unsupported rich text: ${part.type}`);
}

function pieces(part, names) {
  return (part.elements ?? []).map((one) => styled(one, names));
}

function styled(one, names) {
  const draw = INLINE[one.type];
  const inner = draw ? draw(one, names) : h("span", { class: "unsupported" }, `unsupported rich text: ${one.type}`);
  return STYLES.reduce((node, [style, tag]) => (one.style?.[style] ? h(tag, {}, node) : node), inner);
}

function list(part, names) {
  const items = (part.elements ?? []).map((item) => h("li", {}, pieces(item, names)));
  const start = part.style === "ordered" && part.offset ? part.offset + 1 : null;
  const level = Math.min(part.indent ?? 0, 4);
  return h(part.style === "ordered" ? "ol" : "ul", { class: `rich-list indent-${level}`, start }, items);
}
