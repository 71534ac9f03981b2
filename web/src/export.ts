// What a panel gives away: its data, its picture, its code.
import type { Chart } from "./chart/chart";
import type { Line } from "./chart/line";
import { exact } from "./format";
import type { View } from "./view";

export function download(name: string, content: string | Blob, type = "text/plain"): void {
  const link = document.createElement("a");
  const text = type === "text/csv" ? `\ufeff${content}` : content; // a mark by which Excel knows UTF-8
  link.href = URL.createObjectURL(content instanceof Blob ? content : new Blob([text], { type: `${type};charset=utf-8` }));
  link.download = name.replace(/[^\p{L}\p{N}._ -]+/gu, "_");
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

const COLUMN = ["first", "least", "greatest", "last"];

/** The points drawn, a row each; where they are too many, what is drawn of each column of pixels, and which it is. */
export function csv(lines: readonly Line[], x: string): string {
  const thinned = lines.some((line) => line.columns);
  const rows = [["run", x, "value", ...(thinned ? ["of pixel column"] : [])].join(",")];
  for (const line of lines) {
    const [start, end] = line.columns ?? [0, 0];
    for (let at = 0; at < line.x.length; at += 1) {
      const row = [cell(line.name), number(line.x[at]), number(line.y[at])];
      if (thinned) row.push(at >= start && at < end ? (COLUMN[(at - start) % 4] as string) : "");
      rows.push(row.join(","));
    }
  }
  return `${rows.join("\r\n")}\r\n`;
}

function number(value: number | undefined): string {
  if (value === undefined || Number.isNaN(value)) return "NaN";
  return Number.isFinite(value) ? String(value) : value > 0 ? "inf" : "-inf";
}

/** A text as a cell: quoted where needed, and never a formula of a spreadsheet. */
function cell(text: string): string {
  const safe = /^[=+\-@\t\r\n＝＋－＠]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** Python code that draws the panel. */
export function pythonCode(logdir: string, tags: readonly string[], view: View): string {
  const quote = (text: string) => JSON.stringify(text);
  const runs = `vizkit.load(${quote(logdir)})${view.run ? `[${quote(view.run)}]` : view.filter ? `.filter(${quote(view.filter)})` : ""}`;
  const options = [tags.length === 1 ? quote(tags[0] ?? "") : `[${tags.map(quote).join(", ")}]`];
  if (view.x !== "step") options.push(`x=${quote(view.x)}`);
  if (view.smooth === "ema") options.push(`smooth=${exact(view.amount)}`);
  else if (view.smooth !== "none") options.push(`smooth=${quote(`${view.smooth}:${exact(view.amount)}`)}`);
  if (view.group.length && !view.run) {
    options.push(`by=${view.group.length === 1 ? quote(view.group[0] ?? "") : `[${view.group.map(quote).join(", ")}]`}`);
    options.push(`band=${view.band === "none" ? "None" : quote(view.band === "auto" ? "ci" : view.band)}`);
  }
  if (view.ylog || view.xlog) options.push(`log=${view.xlog ? quote(view.ylog ? "xy" : "x") : "True"}`);
  if (view.robust) options.push("outliers=False");
  return `import vizkit\n\n${runs}.plot(${options.join(", ")})\n`;
}

type Band = NonNullable<Line["band"]>;

const MOST_NAMED = 60;
const MARGIN = { left: 64, right: 160, top: 32, bottom: 34 };

/** The chart as a drawing of vectors, with a legend. */
export function svg(chart: Chart, title: string): string {
  const { width, height, x, y } = chart.shown();
  const escape = (text: string) => text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
  const out: string[] = [];
  const path = (xs: Float64Array, ys: Float64Array) => {
    let text = "";
    let pen = false;
    for (let at = 0; at < xs.length; at += 1) {
      const [left, top] = chart.place(xs[at] as number, ys[at] as number);
      if (Number.isFinite(ys[at]) && Number.isFinite(left) && Number.isFinite(top)) {
        text += `${pen ? "L" : "M"}${left.toFixed(2)} ${top.toFixed(2)}`;
        pen = true;
      } else pen = false;
    }
    return text;
  };
  /** Where a band has edges: its first point and the one behind its last. */
  const stretches = ({ low, high }: Band) => {
    const found: [number, number][] = [];
    for (let at = 0; at < low.length; at += 1) {
      if (!Number.isFinite(low[at]) || !Number.isFinite(high[at])) continue;
      const last = found.at(-1);
      if (last && last[1] === at) last[1] = at + 1;
      else found.push([at, at + 1]);
    }
    return found;
  };
  const area = ({ x: places, low, high }: Band, from: number, to: number) => {
    const at = (one: number, value: number) => {
      const [left, top] = chart.place(places[one] as number, value);
      return `${left.toFixed(2)} ${Number.isFinite(top) ? top.toFixed(2) : height}`; // zero on a logarithmic axis: its foot
    };
    const members = Array.from({ length: to - from }, (_, one) => from + one);
    return `M${[...members.map((one) => at(one, high[one] as number)), ...members.toReversed().map((one) => at(one, low[one] as number))].join("L")}Z`;
  };
  const ticks = chart.ticks();
  for (const [at, text] of ticks.x) {
    const left = chart.place(at, y[0])[0].toFixed(1);
    out.push(`<line x1="${left}" x2="${left}" y1="0" y2="${height}" stroke="#e3e6ea"/><text x="${left}" y="${height + 18}" text-anchor="middle">${escape(text)}</text>`);
  }
  for (const [at, text] of ticks.y) {
    const top = chart.place(x[0], at)[1];
    out.push(`<line x1="0" x2="${width}" y1="${top.toFixed(1)}" y2="${top.toFixed(1)}" stroke="#e3e6ea"/><text x="-6" y="${(top + 4).toFixed(1)}" text-anchor="end">${escape(text)}</text>`);
  }
  const named = chart.lines.filter((line) => !line.faint);
  for (const line of chart.lines) {
    const at = named.indexOf(line);
    const dash = line.dash.length ? ` stroke-dasharray="${line.dash.join(" ")}"` : "";
    if (line.band) out.push(`<g clip-path="url(#area)">${stretches(line.band).map(([from, to]) => `<path d="${area(line.band as Band, from, to)}" fill="${line.color}" opacity="0.18"/>`).join("")}</g>`);
    out.push(`<g clip-path="url(#area)"><path d="${path(line.x, line.y)}" fill="none" stroke="${line.color}"${dash} stroke-width="1.5"${line.smooth ? ' opacity="0.25"' : line.faint ? ' opacity="0.4"' : ""}/>`);
    if (line.smooth) out.push(`<path d="${path(line.smooth.x, line.smooth.y)}" fill="none" stroke="${line.color}"${dash} stroke-width="1.5"/>`);
    out.push("</g>");
    if (at >= 0 && at < MOST_NAMED) out.push(`<line x1="${width + 10}" x2="${width + 28}" y1="${8 + at * 16}" y2="${8 + at * 16}" stroke="${line.color}"${dash} stroke-width="2"/><text x="${width + 32}" y="${12 + at * 16}">${escape(line.name)}</text>`);
  }
  const room = named.slice(0, MOST_NAMED).reduce((most, line) => Math.max(most, 44 + 7 * line.name.length), MARGIN.right); // letters are 7 wide at most, but for Chinese ones
  const [fullWidth, fullHeight] = [width + MARGIN.left + room, Math.max(height, 16 * Math.min(named.length, MOST_NAMED)) + MARGIN.top + MARGIN.bottom];
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${fullWidth}" height="${fullHeight}" font-family="sans-serif" font-size="12" fill="#333"><rect width="100%" height="100%" fill="#fff"/><text x="${MARGIN.left}" y="20" font-size="14">${escape(title)}</text><defs><clipPath id="area"><rect width="${width}" height="${height}"/></clipPath></defs><g transform="translate(${MARGIN.left} ${MARGIN.top})">${out.join("")}</g></svg>\n`;
}
