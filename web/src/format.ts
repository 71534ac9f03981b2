// Numbers, durations and times as texts.

/** A number of few digits, as it is read in a chart. */
export function short(value: number, digits = 5): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 1e6 || size < 1e-4) return tidy(value.toExponential(digits > 5 ? digits - 1 : 3));
  if (Number.isInteger(value)) return String(value);
  return tidy(value.toPrecision(digits));
}

function tidy(text: string): string {
  return text.replace(/(\.\d*?)0+(?=e|$)/, "$1").replace(/\.(?=e|$)/, "").replace("e+", "e");
}

/** All digits of a number: it reads back as the same number. */
export function exact(value: number): string {
  return Number.isFinite(value) ? String(value) : short(value);
}

/** Seconds as a duration of two units: `1 h 20 min`. */
export function duration(seconds: number | null): string {
  if (seconds === null || !Number.isFinite(seconds)) return "";
  if (seconds < 0) return `−${duration(-seconds)}`;
  if (seconds < 10) return `${short(Math.round(seconds * 100) / 100)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return pair(whole, 60, "min", 1, "s");
  if (whole < 86400) return pair(whole, 3600, "h", 60, "min");
  return pair(whole, 86400, "d", 3600, "h");
}

function pair(whole: number, large: number, one: string, small: number, other: string): string {
  const first = Math.floor(whole / large);
  const rest = Math.floor((whole % large) / small);
  return rest ? `${first} ${one} ${rest} ${other}` : `${first} ${one}`;
}

/** A moment in the reader's zone, to the minute or the second. */
export function moment(seconds: number | null, language: string, whole = false): string {
  if (seconds === null) return "";
  const key = `${language} ${whole}`;
  let clock = CLOCKS.get(key);
  if (!clock) CLOCKS.set(key, (clock = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: whole ? "medium" : "short" })));
  return clock.format(seconds * 1000);
}

const CLOCKS = new Map<string, Intl.DateTimeFormat>(); // making one takes longer than a thousand uses

/** The same moment in UTC. */
export function utc(seconds: number | null): string {
  return seconds === null ? "" : `${new Date(seconds * 1000).toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

/** A hyper-parameter's value. */
export function setting(value: unknown): string {
  if (value === undefined || value === null) return "";
  if (typeof value === "number") return exact(value);
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** A colour, mixed with white where the page is dark. */
export function tint(color: string, dark: boolean): string {
  if (!dark || !/^#[0-9a-f]{6}$/i.test(color)) return color;
  const parts = [1, 3, 5].map((at) => Math.round(parseInt(color.slice(at, at + 2), 16) * 0.7 + 255 * 0.3));
  return `#${parts.map((part) => part.toString(16).padStart(2, "0")).join("")}`;
}

/** Compares names as people count: `lr0.001` before `lr0.01`, `run2` before `run10`. */
export function natural(one: string, other: string): number {
  const left = one.split(NUMBERS);
  const right = other.split(NUMBERS);
  for (let at = 0; at < Math.min(left.length, right.length); at += 1) {
    const [a, b] = [left[at] ?? "", right[at] ?? ""];
    if (a === b) continue;
    return at % 2 ? Number(a) - Number(b) || (a < b ? -1 : 1) : a < b ? -1 : 1;
  }
  return left.length - right.length;
}

const NUMBERS = /(\d+(?:\.\d+)?(?:e[-+]?\d+)?)/i;

/** A size in bytes, of three digits: `1.45 MB`. */
export function bytes(size: number): string {
  const units = ["B", "kB", "MB", "GB", "TB", "PB"];
  let unit = 0;
  let value = size;
  while (value >= 999.5 && unit < units.length - 1) [value, unit] = [value / 1000, unit + 1];
  return `${unit === 0 ? value : Number(value.toPrecision(3))} ${units[unit]}`;
}

/** The output of a terminal as it would stand there: without colours, and of a line that was written over the last. */
export function terminal(text: string): string {
  return text
    .replace(TERMINAL, "")
    .split("\n")
    .map((line) => line.replace(/\r+$/, "").split("\r").at(-1) ?? "")
    .join("\n");
}

const TERMINAL = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)|[@-Z\\-_])/g;

/** A command as it is typed in a shell. */
export function shell(command: readonly string[]): string {
  return command.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`)).join(" ");
}
