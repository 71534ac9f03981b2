// Histograms over steps, curves of classes, and reliability diagrams, on a canvas.
import { short } from "../format";
import { type Histogram, quantile } from "./records";
import { roundTicks, tickTexts } from "../ticks";

const FONT = "11px system-ui, sans-serif";
/** Shares of values below the lines of a heat map: from the least to the greatest value. */
export const SHARES = [0, 0.05, 0.25, 0.5, 0.75, 0.95, 1] as const;

type Context = CanvasRenderingContext2D;

function ink(dark: boolean): string {
  return dark ? "#9aa4af" : "#5f6872";
}

function page(dark: boolean): string {
  return dark ? "#15181c" : "#ffffff";
}

/** The least and greatest value of all histograms; without outliers: all but one in a hundred at each end. */
export function extent(records: readonly Histogram[], robust: boolean): [number, number] {
  let [low, high] = [Infinity, -Infinity];
  for (const record of records) {
    const [left, right] = [quantile(record, robust ? 0.01 : 0), quantile(record, robust ? 0.99 : 1)];
    if (left < low) low = left;
    if (right > high) high = right;
  }
  if (robust && records.length > 4) {
    // A step that exploded does not flatten the others: one in twenty may, at least one.
    const few = Math.ceil(records.length * 0.05);
    const sorted = (share: number) => records.map((record) => quantile(record, share)).filter(Number.isFinite).sort((a, b) => a - b);
    [low, high] = [sorted(0.01).at(few) ?? low, sorted(0.99).at(-1 - few) ?? high];
  }
  return low < high ? [low, high] : low === high ? [low - 0.5, high + 0.5] : [0, 1];
}

function foot(context: Context, width: number, height: number, low: number, high: number, dark: boolean): void {
  context.fillStyle = ink(dark);
  context.font = FONT;
  context.textAlign = "center";
  for (const { place, text } of valueTicks(low, high, Math.max(2, Math.floor(width / 80)))) {
    const x = ((place - low) / (high - low)) * width;
    const half = context.measureText(text).width / 2;
    context.fillRect(x - 0.5, height - FOOT, 1, 3);
    context.fillText(text, Math.min(Math.max(x, half), width - half), height - 3);
  }
}

/** Round values of a range, or its ends where there is one at most. */
export function valueTicks(low: number, high: number, most: number): { place: number; text: string }[] {
  const round = roundTicks(low, high, most);
  const places = round.length > 1 ? round : [low, high];
  const texts = tickTexts(places);
  return places.map((place, at) => ({ place, text: texts[at] ?? "" }));
}

function densities({ edges, counts }: Histogram): number[] {
  return counts.map((count, at) => {
    const wide = (edges[at + 1] ?? 0) - (edges[at] ?? 0);
    return wide > 0 ? count / wide : 0;
  });
}

const FOOT = 16;
const MOST_RIDGES = 40;

/** The histograms that are drawn as ridges, and the line that each stands on. */
export function ridges(records: readonly Histogram[], height: number): { record: Histogram; base: number; tall: number }[] {
  const every = Math.max(1, Math.ceil(records.length / MOST_RIDGES));
  const shown = records.filter((_, at) => (records.length - 1 - at) % every === 0);
  const room = height - FOOT;
  const tall = Math.min(room * 0.5, Math.max(30, (room / Math.max(shown.length, 1)) * 4));
  return shown.map((record, at) => ({ record, base: shown.length > 1 ? tall + ((room - tall) * at) / (shown.length - 1) : room, tall }));
}

/** A histogram a step, the first at the back; heights are densities, so that unequal bins compare. */
export function drawRidges(context: Context, width: number, height: number, records: readonly Histogram[], [low, high]: readonly [number, number], color: string, dark: boolean, pointed: Histogram | null): void {
  const shown = ridges(records, height);
  const peak = Math.max(...shown.map(({ record }) => Math.max(0, ...densities(record))), 1e-300);
  const toX = (value: number) => Math.min(Math.max((value - low) / (high - low), -0.01), 1.01) * width;
  for (const [at, { record, base, tall }] of shown.entries()) {
    const { edges } = record;
    context.beginPath();
    context.moveTo(toX(edges[0] ?? low), base);
    for (const [bin, density] of densities(record).entries()) {
      const top = base - (density / peak) * tall;
      context.lineTo(toX(edges[bin] ?? low), top);
      context.lineTo(toX(edges[bin + 1] ?? high), top);
    }
    context.lineTo(toX(edges.at(-1) ?? high), base);
    context.closePath();
    context.globalAlpha = 0.85;
    context.fillStyle = page(dark);
    context.fill();
    context.globalAlpha = record === pointed ? 1 : 0.25 + (0.6 * (at + 1)) / shown.length;
    context.fillStyle = color;
    context.fill();
    context.globalAlpha = 1;
    context.strokeStyle = record === pointed ? ink(dark) : page(dark);
    context.lineWidth = record === pointed ? 1.5 : 0.7;
    context.stroke();
  }
  // The steps of the first ridge and the last, and of those between that have room.
  context.font = FONT;
  context.textAlign = "right";
  context.fillStyle = ink(dark);
  context.strokeStyle = page(dark);
  context.lineWidth = 3;
  let free = Infinity;
  for (const { record, base } of shown.toReversed()) {
    if (base > free) continue;
    context.strokeText(short(record.step), width - 2, base - 2);
    context.fillText(short(record.step), width - 2, base - 2);
    free = base - 14;
  }
  context.textAlign = "left";
  foot(context, width, height, low, high, dark);
}

/** Values upwards, steps to the right; darker where there are more. Lines are percentiles. */
export function drawHeat(context: Context, width: number, height: number, records: readonly Histogram[], [low, high]: readonly [number, number], color: string, dark: boolean, pointed: Histogram | null): void {
  const tall = height - FOOT;
  const column = width / Math.max(records.length, 1);
  const toY = (value: number) => tall - ((value - low) / (high - low)) * tall;
  context.save();
  context.beginPath();
  context.rect(0, 0, width, tall);
  context.clip();
  for (const [at, record] of records.entries()) {
    const all = densities(record);
    const peak = Math.max(...all, 1e-300);
    context.fillStyle = color;
    for (const [bin, density] of all.entries()) {
      if (!density) continue;
      const [bottom, top] = [toY(record.edges[bin] ?? low), toY(record.edges[bin + 1] ?? high)];
      context.globalAlpha = 0.75 * Math.sqrt(density / peak);
      context.fillRect(at * column, top, column + 0.5, Math.max(bottom - top, 0.5));
    }
  }
  context.strokeStyle = dark ? "#ffffff" : "#111111";
  for (const share of SHARES) {
    context.globalAlpha = share === 0.5 ? 0.9 : 0.45;
    context.lineWidth = share === 0.5 ? 1.6 : 0.8;
    context.setLineDash(share === 0 || share === 1 ? [2, 3] : []);
    context.beginPath();
    for (const [at, record] of records.entries()) {
      const y = toY(quantile(record, share));
      if (Number.isFinite(y)) context.lineTo((at + 0.5) * column, y);
    }
    context.stroke();
  }
  context.setLineDash([]);
  const place = pointed ? records.indexOf(pointed) : -1;
  if (place >= 0) {
    context.globalAlpha = 0.8;
    context.lineWidth = 1;
    context.strokeRect(place * column, 0, column, tall);
  }
  context.restore();
  context.globalAlpha = 1;
  context.fillStyle = ink(dark);
  context.font = FONT;
  context.textAlign = "left";
  context.strokeStyle = page(dark);
  context.lineWidth = 3;
  for (const { place, text } of valueTicks(low, high, 5)) {
    const y = Math.min(Math.max(toY(place) + 4, 10), tall - 2);
    context.strokeText(text, 2, y);
    context.fillText(text, 2, y);
  }
  if (records.length) {
    context.fillText(short(records[0]?.step ?? 0), 0, height - 3);
    context.textAlign = "right";
    context.fillText(short(records.at(-1)?.step ?? 0), width, height - 3);
  }
}

// -- the unit square ----------------------------------------------------------------------------------

const [LEFT, TOP, RIGHT, BOTTOM] = [38, 8, 10, 30];

/** A place of the unit square, in pixels. */
export function squareAt(x: number, y: number, width: number, height: number): [number, number] {
  return [LEFT + x * (width - LEFT - RIGHT), TOP + (1 - y) * (height - TOP - BOTTOM)];
}

function drawSquare(context: Context, width: number, height: number, names: readonly [string, string], dark: boolean): void {
  const [left, bottom] = squareAt(0, 0, width, height);
  const [right, top] = squareAt(1, 1, width, height);
  context.font = FONT;
  context.fillStyle = ink(dark);
  context.lineWidth = 1;
  context.strokeStyle = dark ? "#2a3037" : "#e8ebef";
  for (let tick = 0; tick <= 1; tick += 0.25) {
    const [x, y] = squareAt(tick, tick, width, height);
    context.beginPath();
    context.moveTo(x, top);
    context.lineTo(x, bottom);
    context.moveTo(left, y);
    context.lineTo(right, y);
    context.stroke();
    context.textAlign = "center";
    context.fillText(String(tick), x, bottom + 12);
    context.textAlign = "right";
    context.fillText(String(tick), left - 5, y + 4);
  }
  context.textAlign = "center";
  context.fillText(names[0], (left + right) / 2, height - 3);
  context.save();
  context.translate(9, (top + bottom) / 2);
  context.rotate(-Math.PI / 2);
  context.fillText(names[1], 0, 0);
  context.restore();
}

function drawDiagonal(context: Context, width: number, height: number, dark: boolean): void {
  context.strokeStyle = ink(dark);
  context.lineWidth = 1;
  context.setLineDash([4, 4]);
  context.beginPath();
  context.moveTo(...squareAt(0, 0, width, height));
  context.lineTo(...squareAt(1, 1, width, height));
  context.stroke();
  context.setLineDash([]);
}

export interface Line {
  x: readonly (number | null)[];
  y: readonly (number | null)[];
  color: string;
  dash: number[];
}

/** Curves in the unit square, and the point that is pointed at. */
export function drawCurves(context: Context, width: number, height: number, lines: readonly Line[], mark: { x: number; y: number } | null, names: readonly [string, string], diagonal: boolean, dark: boolean): void {
  drawSquare(context, width, height, names, dark);
  if (diagonal) drawDiagonal(context, width, height, dark);
  context.lineWidth = 1.6;
  for (const { x, y, color, dash } of lines) {
    context.strokeStyle = color;
    context.setLineDash(dash);
    context.beginPath();
    for (const [at, value] of x.entries()) {
      const other = y[at] ?? null;
      if (value !== null && other !== null) context.lineTo(...squareAt(value, other, width, height));
    }
    context.stroke();
  }
  context.setLineDash([]);
  if (mark) {
    context.fillStyle = dark ? "#e4e7eb" : "#1c2024";
    context.beginPath();
    context.arc(...squareAt(mark.x, mark.y, width, height), 4, 0, 2 * Math.PI);
    context.fill();
  }
}

export interface Bars {
  color: string;
  bins: readonly { from: number; to: number; samples: number; confidence: number; accuracy: number }[];
}

/** Accuracy over confidence; one run as bars with their gap to the diagonal, several as lines. */
export function drawReliability(context: Context, width: number, height: number, all: readonly Bars[], pointed: number | null, names: readonly [string, string], dark: boolean): void {
  drawSquare(context, width, height, names, dark);
  const [single] = all.length === 1 ? all : [];
  for (const { from, to, samples, confidence, accuracy } of single?.bins ?? []) {
    if (!samples) continue;
    const [left, top] = squareAt(from, accuracy, width, height);
    const [right, bottom] = squareAt(to, 0, width, height);
    context.globalAlpha = 0.6;
    context.fillStyle = single?.color ?? "";
    context.fillRect(left + 0.5, top, right - left - 1, bottom - top);
    const [, middle] = squareAt(0, confidence, width, height);
    context.globalAlpha = 0.25;
    context.fillStyle = dark ? "#ff8f87" : "#b3261e";
    context.fillRect(left + 0.5, Math.min(top, middle), right - left - 1, Math.abs(top - middle));
    context.globalAlpha = 1;
  }
  drawDiagonal(context, width, height, dark);
  const most = Math.max(1, ...all.flatMap(({ bins }) => bins.map(({ samples }) => samples)));
  for (const { color, bins } of all) {
    context.strokeStyle = context.fillStyle = color;
    context.lineWidth = 1.6;
    context.beginPath();
    for (const { samples, confidence, accuracy } of bins) if (samples) context.lineTo(...squareAt(confidence, accuracy, width, height));
    context.stroke();
    for (const { samples, confidence, accuracy } of bins) {
      if (!samples) continue;
      context.beginPath();
      context.arc(...squareAt(confidence, accuracy, width, height), 2 + 4 * Math.sqrt(samples / most), 0, 2 * Math.PI);
      context.fill();
    }
  }
  const bin = pointed === null ? undefined : all[0]?.bins[pointed];
  if (bin) {
    const [left, top] = squareAt(bin.from, 1, width, height);
    const [right, bottom] = squareAt(bin.to, 0, width, height);
    context.strokeStyle = ink(dark);
    context.lineWidth = 1;
    context.strokeRect(left, top, right - left, bottom - top);
  }
}
