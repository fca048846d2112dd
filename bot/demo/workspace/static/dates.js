// Times as people read them, in the browser's own language and time zone, and the date tokens of
// Slack texts (docs.slack.dev/messaging/formatting-message-text, "Date formatting").

const DAY = 86_400_000;
const STEPS = [["year", 31_536_000], ["month", 2_592_000], ["day", 86_400], ["hour", 3600], ["minute", 60]];

const TOKENS = {
  date_num: (date) => [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join("-"),
  date_slash: (date) => [two(date.getMonth() + 1), two(date.getDate()), date.getFullYear()].join("/"),
  date: (date) => format(date, { month: "long", day: "numeric", year: "numeric" }),
  date_short: (date) => format(date, { month: "short", day: "numeric", year: "numeric" }),
  date_long: (date) => format(date, { weekday: "long", month: "long", day: "numeric", year: "numeric" }),
  date_pretty: (date, now) => nearDay(date, now) ?? TOKENS.date(date),
  date_short_pretty: (date, now) => nearDay(date, now) ?? TOKENS.date_short(date),
  date_long_pretty: (date, now) => nearDay(date, now) ?? TOKENS.date_long(date),
  day_divider_pretty: (date, now) => nearDay(date, now) ?? format(date, { weekday: "long", month: "long", day: "numeric" }),
  time: (date) => format(date, { hour: "numeric", minute: "2-digit" }),
  time_secs: (date) => format(date, { hour: "numeric", minute: "2-digit", second: "2-digit" }),
  ago: (date, now) => ago(date, now),
};

function two(number) {
  return String(number).padStart(2, "0");
}

function format(date, options) {
  return new Intl.DateTimeFormat(undefined, options).format(date);
}

function midnight(date) {
  return new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();
}

function nearDay(date, now) {
  const days = Math.round((midnight(date) - midnight(now)) / DAY);
  return { "-1": "yesterday", 0: "today", 1: "tomorrow" }[days];
}

/** "3 minutes ago", "in 2 hours", "now". */
export function ago(date, now = new Date()) {
  const seconds = Math.round((date - now) / 1000);
  const words = new Intl.RelativeTimeFormat(undefined, { numeric: "auto" });
  const [unit, size] = STEPS.find(([, length]) => Math.abs(seconds) >= length) ?? ["second", 1];
  return words.format(Math.trunc(seconds / size), unit);
}

/** A Slack date format with its `{tokens}` filled in; an unknown token stays as written. */
export function fillTokens(template, epoch, now = new Date()) {
  const date = new Date(epoch * 1000);
  return template.replace(/\{(\w+)\}/g, (whole, name) => (Object.hasOwn(TOKENS, name) ? TOKENS[name](date, now) : whole));
}

/** Whole date and time, for a tooltip. */
export function fullTime(epoch) {
  return format(new Date(epoch * 1000), { dateStyle: "full", timeStyle: "long" });
}

/** Hours and minutes of a message. */
export function clockTime(epoch) {
  return TOKENS.time(new Date(epoch * 1000));
}

/** The heading above a day's messages. */
export function dayName(epoch) {
  const name = fillTokens("{day_divider_pretty}", epoch);
  return name.charAt(0).toUpperCase() + name.slice(1);
}

/** A key that is equal for two moments of the same local day. */
export function dayKey(epoch) {
  return TOKENS.date_num(new Date(epoch * 1000));
}

/** Rewrite every relative time on the page; the page calls it once in a while. */
export function refreshAgo(root) {
  for (const node of root.querySelectorAll("time[data-format*='{ago}']")) {
    node.textContent = fillTokens(node.dataset.format, Number(node.dataset.epoch));
  }
}
