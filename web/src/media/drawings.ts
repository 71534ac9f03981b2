// Histograms over steps, and curves of classes, on a canvas.
import { short } from "../format";
import type { Histogram } from "./records";

const FONT = '11px system-ui, sans-serif';

function ink(dark: boolean): string {
  return dark ? "#9aa4af" : "#5f6872";
}

function extent(records: readonly Histogram[]): [number, number] {
  let [low, high] = [Infinity, -Infinity];
  for (const { bins } of records) {
    for (const [left, right, count] of bins) {
      if (!count) continue;
      if (left < low) low = left;
      if (right > high) high = right;
    }
  }
  return low < high ? [low, high] : low === high ? [low - 0.5, high + 0.5] : [0, 1];
}

function foot(context: CanvasRenderingContext2D, width: number, height: number, low: number, high: number, dark: boolean): void {
  context.fillStyle = ink(dark);
  context.font = FONT;
  for (const [share, align] of [[0, "left"], [0.5, "center"], [1, "right"]] as const) {
    context.textAlign = align;
    context.fillText(short(low + (high - low) * share), share * width, height - 3);
  }
}

/** A histogram a step, the first at the back; heights are densities, so that unequal bins compare. */
export function drawRidges(context: CanvasRenderingContext2D, width: number, height: number, records: readonly Histogram[], color: string, dark: boolean): void {
  const [low, high] = extent(records);
  const most = 30;
  const every = Math.max(1, Math.ceil(records.length / most));
  const shown = records.filter((_, at) => (records.length - 1 - at) % every === 0);
  const density = ([left, right, count]: [number, number, number]) => (right > left ? count / (right - left) : 0);
  const peak = Math.max(...shown.map(({ bins }) => Math.max(0, ...bins.map(density))), 1e-300);
  const tall = height - 18;
  const ridge = Math.min(tall * 0.5, Math.max(30, (tall / Math.max(shown.length, 1)) * 4));
  const toX = (value: number) => ((value - low) / (high - low)) * width;
  for (const [at, { bins }] of shown.entries()) {
    const base = shown.length > 1 ? ridge + ((tall - ridge) * at) / (shown.length - 1) : tall;
    context.beginPath();
    context.moveTo(toX(bins[0]?.[0] ?? low), base);
    for (const bin of bins) {
      const top = base - (density(bin) / peak) * ridge;
      context.lineTo(toX(bin[0]), top);
      context.lineTo(toX(bin[1]), top);
    }
    context.lineTo(toX(bins.at(-1)?.[1] ?? high), base);
    context.closePath();
    context.globalAlpha = 0.85;
    context.fillStyle = dark ? "#15181c" : "#ffffff";
    context.fill();
    context.globalAlpha = 0.25 + (0.6 * (at + 1)) / shown.length;
    context.fillStyle = color;
    context.fill();
    context.globalAlpha = 1;
    context.strokeStyle = dark ? "#15181c" : "#ffffff";
    context.lineWidth = 0.7;
    context.stroke();
  }
  foot(context, width, height, low, high, dark);
}

/** Values upwards, steps to the right; darker where there are more. */
export function drawHeat(context: CanvasRenderingContext2D, width: number, height: number, records: readonly Histogram[], color: string, dark: boolean): void {
  const [low, high] = extent(records);
  const tall = height - 16;
  const column = width / Math.max(records.length, 1);
  const toY = (value: number) => tall - ((value - low) / (high - low)) * tall;
  const density = ([left, right, count]: [number, number, number]) => (right > left ? count / (right - left) : 0);
  for (const [at, { bins }] of records.entries()) {
    const peak = Math.max(...bins.map(density), 1e-300);
    context.fillStyle = color;
    for (const bin of bins) {
      if (!bin[2]) continue;
      context.globalAlpha = Math.sqrt(density(bin) / peak);
      context.fillRect(at * column, toY(bin[1]), column + 0.5, Math.max(toY(bin[0]) - toY(bin[1]), 0.5));
    }
  }
  context.globalAlpha = 1;
  context.fillStyle = ink(dark);
  context.font = FONT;
  context.textAlign = "left";
  context.fillText(short(high), 2, 10);
  context.fillText(short(low), 2, tall - 2);
  if (records.length) {
    context.fillText(short(records[0]?.step ?? 0), 0, height - 3);
    context.textAlign = "right";
    context.fillText(short(records.at(-1)?.step ?? 0), width, height - 3);
  }
}

/** Curves in the unit square. */
export function drawCurves(context: CanvasRenderingContext2D, width: number, height: number, lines: readonly { x: number[]; y: number[]; color: string }[], mark: { x: number; y: number } | null, names: [string, string], dark: boolean): void {
  const [left, top, right, bottom] = [36, 8, width - 10, height - 26];
  const toX = (value: number) => left + value * (right - left);
  const toY = (value: number) => top + (1 - value) * (bottom - top);
  context.font = FONT;
  context.fillStyle = ink(dark);
  context.lineWidth = 1;
  for (let tick = 0; tick <= 1; tick += 0.25) {
    context.strokeStyle = dark ? "#2a3037" : "#e8ebef";
    context.beginPath();
    context.moveTo(toX(tick), top);
    context.lineTo(toX(tick), bottom);
    context.moveTo(left, toY(tick));
    context.lineTo(right, toY(tick));
    context.stroke();
    context.textAlign = "center";
    context.fillText(String(tick), toX(tick), bottom + 12);
    context.textAlign = "right";
    context.fillText(String(tick), left - 5, toY(tick) + 4);
  }
  context.textAlign = "right";
  context.fillText(names[0], right, height - 2);
  context.save();
  context.translate(9, top);
  context.rotate(-Math.PI / 2);
  context.fillText(names[1], 0, 0);
  context.restore();
  context.lineWidth = 1.5;
  for (const { x, y, color } of lines) {
    context.strokeStyle = color;
    context.beginPath();
    for (let at = 0; at < x.length; at += 1) {
      if (Number.isFinite(x[at]) && Number.isFinite(y[at])) context.lineTo(toX(x[at] as number), toY(y[at] as number));
    }
    context.stroke();
  }
  if (mark) {
    context.fillStyle = dark ? "#e4e7eb" : "#1c2024";
    context.beginPath();
    context.arc(toX(mark.x), toY(mark.y), 4, 0, 2 * Math.PI);
    context.fill();
  }
}
