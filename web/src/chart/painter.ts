// Curves on a canvas, through the points that the server chose: first, least, greatest and last of each column of pixels.
import uPlot from "uplot";
import type { Axes, Line } from "./line";
import { type Uprights, uprights } from "./uprights";

const DOT = 3; // pixels: the radius of a point without neighbours
const MANY = 20; // lines from which on they are thin: those of one pixel are drawn twenty times sooner

export class Painter {
  private readonly lefts = new Map<Float64Array, Float64Array>(); // of the places of curves, while they are drawn

  constructor(
    private readonly plot: uPlot,
    private readonly axes: () => Axes,
  ) {}

  /** All curves, with their bands and marks, on the chart's canvas. */
  draw(lines: readonly Line[]): void {
    const { ctx, bbox } = this.plot;
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    ctx.lineJoin = "bevel"; // round joins take twice the time
    const crowded = lines.length > MANY;
    const alone: { left: number; top: number; color: string; alpha: number }[] = [];
    // Whole, also those at the edges: often they are a curve's only point.
    const later = (left: number, top: number) => void alone.push({ left, top, color: ctx.fillStyle as string, alpha: ctx.globalAlpha });
    this.lefts.clear();
    for (const line of lines) {
      const pale = line.smooth !== null;
      if (line.band) this.area(ctx, line);
      this.stroke(ctx, line, line.x, line.y, pale ? 0.25 : line.faint ? 0.4 : 1, pale || line.faint || crowded ? 1 : line.width, later);
      if (line.smooth) this.stroke(ctx, line, line.smooth.x, line.smooth.y, 1, crowded ? 1 : line.width, later);
    }
    ctx.restore();
    ctx.save();
    const within = (left: number) => left > bbox.left - 1 && left < bbox.left + bbox.width + 1;
    for (const line of lines) this.marks(ctx, line, within);
    for (const { left, top, color, alpha } of alone) {
      if (!within(left) || top < bbox.top - 1 || top > bbox.top + bbox.height + 1) continue;
      ctx.globalAlpha = alpha;
      ctx.fillStyle = color;
      dotted(ctx, left, top);
    }
    ctx.restore();
  }

  /** Where the places of curves are drawn; NaN where an axis cannot show one. */
  private leftsOf(x: Float64Array): Float64Array {
    let found = this.lefts.get(x);
    if (!found) {
      const [toX] = this.positions();
      found = new Float64Array(x.length);
      for (let at = 0; at < x.length; at += 1) {
        const left = toX(x[at] as number);
        found[at] = Number.isFinite(left) ? left : NaN;
      }
      this.lefts.set(x, found);
    }
    return found;
  }

  private positions(): [(x: number) => number, (y: number) => number] {
    // As uPlot's valToPos, without its look-ups for each point.
    const { bbox, scales } = this.plot;
    const [x0, x1, y0, y1] = [scales.x?.min ?? 0, scales.x?.max ?? 1, scales.y?.min ?? 0, scales.y?.max ?? 1];
    const { xlog, ylog } = this.axes();
    const [a, b] = xlog ? [Math.log(x0), Math.log(x1)] : [x0, x1];
    const [c, d] = ylog ? [Math.log(y0), Math.log(y1)] : [y0, y1];
    const foot = bbox.top + bbox.height;
    const whole = d - c;
    return [
      (x) => bbox.left + (((xlog ? Math.log(x) : x) - a) / (b - a)) * bbox.width,
      Number.isFinite(whole)
        ? (y) => foot - (((ylog ? Math.log(y) : y) - c) / whole) * bbox.height
        : (y) => foot - ((y / 2 - c / 2) / (d / 2 - c / 2)) * bbox.height, // never logarithmic
    ];
  }

  stroke(ctx: CanvasRenderingContext2D, line: Line, x: Float64Array, y: Float64Array, alpha: number, width: number, point = (left: number, top: number) => dotted(ctx, left, top)): void {
    const [, toY] = this.positions();
    const lefts = this.leftsOf(x);
    const ratio = uPlot.pxRatio;
    const limit = this.plot.bbox.height * 4;
    const { ylog } = this.axes();
    ctx.globalAlpha = alpha;
    ctx.strokeStyle = ctx.fillStyle = line.color;
    ctx.lineWidth = width * ratio;
    const spot = (left: number, top: number) => ctx.fillRect(left - 1.5 * ratio, top - 1.5 * ratio, 3 * ratio, 3 * ratio);
    if (line.counts === null && x.length > this.plot.bbox.width) {
      const tops = new Float64Array(x.length);
      for (let at = 0; at < x.length; at += 1) {
        const value = y[at] as number;
        tops[at] = value - value !== 0 || (ylog && value <= 0) ? NaN : Math.min(Math.max(toY(value), -limit), limit);
      }
      this.strokeUpright(ctx, uprights(lefts, tops, width * ratio, line.dash.map((length) => length * ratio)), Math.max(1, Math.floor(width * ratio)), spot);
      ctx.globalAlpha = 1;
      return;
    }
    let dashed = false;
    let [started, alone, lastX, lastY] = [false, false, 0, 0];
    const dot = () => {
      if (alone) point(lastX, lastY);
    };
    const begin = () => {
      ctx.setLineDash(dashed ? [3 * ratio, 4 * ratio] : line.dash.map((length) => length * ratio));
      ctx.beginPath();
    };
    begin();
    for (let at = 0; at < x.length; at += 1) {
      const value = y[at] as number;
      const left = lefts[at] as number;
      if (value - value !== 0 || left !== left || (ylog && value <= 0)) { // not finite, or not on the axis
        dot();
        started = alone = false;
        continue;
      }
      const top = Math.min(Math.max(toY(value), -limit), limit);
      if (started) {
        const fewer = line.counts !== null && (line.counts[at] ?? 0) < line.members;
        if (fewer !== dashed) {
          ctx.stroke();
          dashed = fewer;
          begin();
          ctx.moveTo(lastX, lastY);
        }
        ctx.lineTo(left, top);
        alone = false;
      } else {
        ctx.moveTo(left, top);
        alone = true;
      }
      started = true;
      lastX = left;
      lastY = top;
    }
    ctx.stroke();
    dot();
    ctx.setLineDash([]);
    ctx.globalAlpha = 1;
  }

  /** Strokes of one pixel are drawn twenty times sooner than thicker ones: these are some, side by side. */
  private strokeUpright(ctx: CanvasRenderingContext2D, { strokes, links, dots }: Uprights, thick: number, spot: (left: number, top: number) => void): void {
    ctx.lineWidth = 1;
    ctx.beginPath();
    for (let by = 0; by < thick; by += 1) {
      const middle = 0.5 + by - Math.floor(thick / 2);
      for (let at = 0; at < strokes.length; at += 3) {
        const left = (strokes[at] as number) + middle;
        ctx.moveTo(left, strokes[at + 1] as number);
        ctx.lineTo(left, strokes[at + 2] as number);
      }
    }
    if (thick > 1) {
      ctx.stroke();
      ctx.beginPath();
      ctx.lineWidth = thick;
    }
    for (let at = 0; at < links.length; at += 4) {
      ctx.moveTo(links[at] as number, links[at + 1] as number);
      ctx.lineTo(links[at + 2] as number, links[at + 3] as number);
    }
    ctx.stroke();
    for (let at = 0; at < dots.length; at += 2) spot(dots[at] as number, dots[at + 1] as number);
  }

  private area(ctx: CanvasRenderingContext2D, line: Line): void {
    const band = line.band;
    if (!band) return;
    const [toX, toY] = this.positions();
    ctx.globalAlpha = 0.18;
    ctx.fillStyle = line.color;
    const floor = this.plot.bbox.top + this.plot.bbox.height;
    const top = (value: number) => (this.axes().ylog && value <= 0 ? floor : toY(value));
    for (let from = 0; from < band.x.length; ) {
      if (!Number.isFinite(band.low[from]) || !Number.isFinite(band.high[from])) {
        from += 1;
        continue;
      }
      let to = from;
      while (to < band.x.length && Number.isFinite(band.low[to]) && Number.isFinite(band.high[to])) to += 1;
      ctx.beginPath();
      for (let at = from; at < to; at += 1) ctx.lineTo(toX(band.x[at] as number), top(band.high[at] as number));
      for (let at = to - 1; at >= from; at -= 1) ctx.lineTo(toX(band.x[at] as number), top(band.low[at] as number));
      ctx.fill();
      from = to;
    }
    ctx.globalAlpha = 1;
  }

  /** A cross at the foot for NaN, a triangle at the edge for an infinity. */
  private marks(ctx: CanvasRenderingContext2D, line: Line, within: (left: number) => boolean): void {
    if (!line.marks.x.length) return;
    const [toX] = this.positions();
    const { bbox } = this.plot;
    const size = 4 * uPlot.pxRatio;
    ctx.strokeStyle = ctx.fillStyle = line.color;
    ctx.lineWidth = 1.5 * uPlot.pxRatio;
    for (let at = 0; at < line.marks.x.length; at += 1) {
      const value = line.marks.y[at] as number;
      const left = toX(line.marks.x[at] as number);
      if (!within(left)) continue;
      ctx.beginPath();
      if (Number.isNaN(value)) {
        const foot = bbox.top + bbox.height - size;
        ctx.moveTo(left - size, foot - size);
        ctx.lineTo(left + size, foot + size);
        ctx.moveTo(left + size, foot - size);
        ctx.lineTo(left - size, foot + size);
        ctx.stroke();
      } else {
        const edge = value > 0 ? bbox.top : bbox.top + bbox.height;
        const inner = value > 0 ? edge + 2 * size : edge - 2 * size;
        ctx.moveTo(left, edge);
        ctx.lineTo(left - size, inner);
        ctx.lineTo(left + size, inner);
        ctx.fill();
      }
    }
  }
}

function dotted(ctx: CanvasRenderingContext2D, left: number, top: number): void {
  ctx.beginPath();
  ctx.arc(left, top, DOT * uPlot.pxRatio, 0, 2 * Math.PI);
  ctx.fill();
}
