// One chart on a canvas. uPlot draws axes and grid and follows the pointer; the curves are drawn here, through the
// points that the server chose: first, least, greatest and last of each column of pixels.
import uPlot from "uplot";
import { pictureOf } from "./picture";
import { flattening, nearest, rangeOf } from "./ranges";
import { betweenTicks, distances, logTicks, multiples, secondTexts, tickTexts } from "./ticks";
import { type Uprights, uprights } from "./uprights";

export interface Line {
  key: string;
  /** paths of its runs. */
  runs: readonly string[];
  name: string;
  color: string;
  dash: number[];
  width: number;
  /** a run behind the mean of its group. */
  faint: boolean;
  x: Float64Array;
  y: Float64Array;
  /** as of `Points`. */
  columns?: readonly [start: number, end: number] | undefined;
  /** the smoothed curve; the raw one is pale behind it. */
  smooth: { x: Float64Array; y: Float64Array } | null;
  /** a band around the curve. */
  band: { x: Float64Array; low: Float64Array; high: Float64Array } | null;
  /** values that are not finite. */
  marks: { x: Float64Array; y: Float64Array };
  /** number of runs behind each point of a group's curve, of `members` in all. */
  counts: Float64Array | null;
  members: number;
}

export interface Axes {
  kind: "number" | "seconds" | "clock";
  xlog: boolean;
  ylog: boolean;
  robust: boolean;
  /** the part of the x axis that is shown; null: all. */
  window: [number, number] | null;
  /** the part of the y axis that is shown; null: as the curves need. */
  yWindow: [number, number] | null;
  /** the drawings of all charts begin at the same place. */
  aligned: boolean;
  dark: boolean;
  language: string;
}

export interface Near {
  line: Line;
  x: number;
  y: number;
  smooth: number | null;
  count: number | null;
  /** distance from the pointer, in pixels of the y axis. */
  away: number;
}

/** A place in the drawing, and the curves there. */
export interface Hover {
  left: number;
  top: number;
  place: number;
  near: Near[];
}

export interface Events {
  /** `goesOn`: of one gesture with the zoom before, by the wheel or two fingers. */
  zoomed(x: [number, number] | null, y: [number, number] | null, goesOn?: boolean): void;
  resized(): void;
  hovered(at: Hover | null): void;
  /** the wheel was turned without the key that zooms: the page scrolls. */
  scrolled?(): void;
}

export interface Said {
  /** curves that leave the axis's range. */
  outside: number;
  /** curves that flatten the others. */
  flattening: number;
  /** values that a logarithmic axis cannot show. */
  refused: number;
}

/** Dashes of lines that share a colour. */
export const DASHES: readonly number[][] = [[], [8, 4], [2, 3], [10, 3, 2, 3], [4, 2]];

const INK = { light: "#5f6872", dark: "#9aa4af" };
const PAPER = { light: "#fff", dark: "#15181c" };
const GRID = { light: "#e8ebef", dark: "#2a3037" };
const MANY = 20; // lines from which on they are thin: those of one pixel are drawn twenty times sooner
const GESTURE = 1000; // milliseconds without a turn of the wheel after which it begins another zoom
const SOON = 40; // milliseconds after the last move at which all of the screen has followed it
const REACH = 12; // pixels beyond a curve's end at which the pointer still tells of it
/** Distances of ticks in seconds, up to a thousand days. */
const SECONDS = [...[-6, -5, -4, -3, -2, -1, 0].flatMap((power) => [1, 2, 5].map((digit) => digit * 10 ** power)), 10, 15, 30, ...[1, 2, 5, 10, 15, 30].map((minutes) => 60 * minutes), ...[1, 2, 3, 6, 12].map((hours) => 3600 * hours), ...[1, 2, 5, 10, 20, 50, 100, 200, 500, 1000].map((days) => 86400 * days)];
const FONT = '12px system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans SC", "WenQuanYi Micro Hei", sans-serif';

/** Group of charts that share a cursor -> the chart that the pointer is at. */
const pointedAt = new Map<string, Chart>();

export class Chart {
  lines: Line[] = [];
  axes: Axes;
  private readonly plot: uPlot;
  private readonly observer: ResizeObserver;
  private readonly overlay: HTMLCanvasElement;
  private hovering = false;
  private sharing = false;
  private readonly lefts = new Map<Float64Array, Float64Array>(); // of the places of curves, while they are drawn
  private later: ReturnType<typeof setTimeout> | undefined;
  private held: { pinch: Pinch; window: [number, number]; begun: boolean } | null = null; // as two fingers came down
  private wheeled = -Infinity;

  constructor(
    private readonly host: HTMLElement,
    axes: Axes,
    private readonly events: Events,
    private readonly sync: string | null,
  ) {
    this.axes = axes;
    this.plot = new uPlot(this.options(sync), [[0, 1], [0, 1]], host);
    this.overlay = document.createElement("canvas");
    this.overlay.className = "overlay";
    this.overlay.hidden = true; // each canvas that is shown costs time at every frame
    this.plot.over.append(this.overlay);
    this.plot.over.addEventListener("mouseleave", () => this.leave());
    this.plot.over.addEventListener("dblclick", () => this.events.zoomed(null, null));
    this.plot.over.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    this.plot.over.addEventListener("touchstart", (event) => this.touched(event));
    this.plot.over.addEventListener("touchmove", (event) => this.pinched(event), { passive: false });
    host.addEventListener("blur", this.blurred);
    this.observer = new ResizeObserver(() => this.resize());
    this.observer.observe(host);
  }

  /** Show other curves or axes. */
  update(lines: Line[], axes: Axes): Said {
    this.lines = lines;
    this.axes = axes;
    const [x0, x1] = axes.window ?? this.span();
    const curves = lines.map((line) => (line.smooth ? visible(line.smooth.x, line.smooth.y, x0, x1) : visible(line.x, line.y, x0, x1)));
    const [seen, owners] = [[...curves], curves.map((_, at) => at)];
    for (const [at, line] of lines.entries()) {
      // The pale raw curve counts too, unless it alone would flatten the smoothed one.
      const more = line.smooth && (line.band || !axes.robust) ? [visible(line.x, line.y, x0, x1)] : [];
      if (line.band) more.push(visible(line.band.x, line.band.low, x0, x1), visible(line.band.x, line.band.high, x0, x1));
      seen.push(...more);
      owners.push(...more.map(() => at));
    }
    const range = rangeOf(seen, axes.ylog, axes.robust, owners);
    if (axes.ylog) {
      const own = rangeOf(lines.map((line) => visible(line.x, line.y, x0, x1)), true, false);
      range.refused = own.refused; // values, not edges of bands
      if (lines.some((line) => line.band)) range.low = Math.max(range.low, own.low / 10); // a band may reach to zero
    }
    const [y0, y1] = axes.yWindow ?? [range.low, range.high];
    this.plot.batch(() => {
      this.plot.setData([[x0, x1], [y0, y1]], false);
      this.plot.setScale("x", { min: x0, max: x1 });
      this.plot.setScale("y", { min: y0, max: y1 });
      this.plot.redraw(false, true); // within the batch: all is drawn once
    });
    if (this.sync !== null) pointedAt.get(this.sync)?.tellAgain(this.sync);
    const free = !axes.robust && !axes.ylog && !axes.yWindow;
    return { outside: range.outside, flattening: free ? flattening(curves) : 0, refused: range.refused };
  }

  resize(): void {
    const { clientWidth: width, clientHeight: height } = this.host;
    if (width > 0 && height > 0 && (width !== this.plot.width || height !== this.plot.height)) {
      this.plot.setSize({ width, height });
      this.events.resized();
    }
  }

  /** Width of the drawing in pixels of the screen: how many columns the server need tell apart. */
  columns(): number {
    return Math.max(1, Math.round(this.plot.bbox.width));
  }

  /** The picture, with a title and the names of the curves, on the page's background. */
  picture(background: string, title: string): HTMLCanvasElement {
    return pictureOf(this.plot.ctx.canvas, this.lines, title, { background, ink: this.axes.dark ? INK.dark : INK.light, font: FONT, ratio: uPlot.pxRatio });
  }

  /** The places and texts of the ticks that have a text. */
  ticks(): { x: [number, string][]; y: [number, string][] } {
    const [x, y] = this.plot.axes.map((axis) => {
      const { _splits: splits, _values: values } = axis as unknown as { _splits?: (number | null)[]; _values?: (string | null)[] };
      return (splits ?? []).flatMap((place, at): [number, string][] => (place !== null && values?.[at] ? [[place, values[at]]] : []));
    });
    return { x: x ?? [], y: y ?? [] };
  }

  /** What the axes show now, for tests and for exports. */
  shown(): { x: [number, number]; y: [number, number]; width: number; height: number } {
    const { x, y } = this.plot.scales;
    return {
      x: [x?.min ?? 0, x?.max ?? 1],
      y: [y?.min ?? 0, y?.max ?? 1],
      width: this.plot.over.clientWidth,
      height: this.plot.over.clientHeight,
    };
  }

  /** Position of a point in the drawing, in CSS pixels. */
  place(x: number, y: number): [number, number] {
    return [this.plot.valToPos(x, "x"), this.plot.valToPos(y, "y")];
  }

  /** Move the cursor to a place, as the pointer does. */
  point(left: number): void {
    this.hovering = true;
    this.sharing = false;
    this.plot.setCursor({ left, top: this.plot.over.clientHeight / 2 });
  }

  /** Act on a key: arrows move the cursor, with Shift the window; + and - zoom, 0 shows all, Escape puts the cursor away. */
  key(name: string, shift = false): boolean {
    const width = this.plot.over.clientWidth;
    const left = this.plot.cursor.left ?? -1;
    const { x } = this.plot.scales;
    if (shift && (name === "ArrowLeft" || name === "ArrowRight") && this.axes.window) {
      this.events.zoomed(moved(...this.axes.window, name === "ArrowRight" ? 0.1 : -0.1, this.axes.xlog), this.axes.yWindow);
    } else if (name === "Home" || name === "End") this.point(name === "Home" ? 0 : width - 1);
    else if (name === "Escape" && this.hovering) this.leave();
    else if (name === "ArrowLeft" || name === "ArrowRight") {
      const start = left < 0 ? width / 2 : left;
      this.point(Math.min(Math.max(start + (name === "ArrowRight" ? 8 : -8), 0), width - 1));
    } else if ((name === "+" || name === "=" || name === "-") && x?.min !== undefined && x.max !== undefined) {
      this.events.zoomed(scaled(x.min, x.max, left < 0 ? 0.5 : left / width, name === "-" ? 1.5 : 1 / 1.5, this.axes.xlog), this.axes.yWindow);
    } else if (name === "0") this.events.zoomed(null, null);
    else return false;
    return true;
  }

  private readonly blurred = () => {
    if (this.hovering && !this.plot.over.matches(":hover")) this.leave();
  };

  destroy(): void {
    this.host.removeEventListener("blur", this.blurred);
    this.observer.disconnect();
    clearTimeout(this.later);
    if (this.sync !== null && pointedAt.get(this.sync) === this) pointedAt.delete(this.sync);
    this.plot.destroy();
  }

  private span(): [number, number] {
    let [low, high] = [Infinity, -Infinity];
    const known = new Set<Float64Array>(); // places that many curves share
    for (const { x, y } of this.lines) {
      if (known.has(x)) continue;
      let whole = true;
      for (let at = 0; at < x.length; at += 1) {
        const place = x[at] as number;
        const value = y[at] as number;
        if (value !== value) whole = false;
        else if (Number.isFinite(place) && !(this.axes.xlog && place <= 0)) {
          if (place < low) low = place;
          if (place > high) high = place;
        }
      }
      if (whole) known.add(x);
    }
    if (low > high) return this.axes.xlog ? [1, 10] : [0, 1];
    if (low < high) return [low, high];
    return this.axes.xlog ? [low / 2, low * 2] : [low - 1, high + 1];
  }

  private options(sync: string | null): uPlot.Options {
    const ink = () => (this.axes.dark ? INK.dark : INK.light);
    const grid = { stroke: () => (this.axes.dark ? GRID.dark : GRID.light), width: 1 };
    const axis = { stroke: ink, grid, ticks: { ...grid, size: 4 }, font: FONT };
    const places = { incrs: (_: uPlot, __: number, low: number, high: number) => distances(low, high), splits: (_: uPlot, __: number, low: number, high: number, by: number) => multiples(low, high, by) };
    const rounds = (plot: uPlot, low: number, high: number, side: number, space: number) => logTicks(low, high, Math.max(2, Math.floor((side ? plot.bbox.height : plot.bbox.width) / devicePixelRatio / space)));
    const asGiven = (_: uPlot, low: number, high: number): uPlot.Range.MinMax => [low, high]; // not to powers of ten
    // Ticks with texts, and lines between them.
    const logarithmic = (side: number, space: number): Partial<uPlot.Axis> => ({
      splits: (plot, _, low, high) => [...new Set([...betweenTicks(low, high), ...rounds(plot, low, high, side, space)])].sort((a, b) => a - b),
      filter: (_, splits) => splits,
      values: (plot, splits) => {
        const { min = 1, max = 1 } = plot.scales[side ? "y" : "x"] ?? {};
        const written = rounds(plot, min, max, side, space);
        const texts = new Map(tickTexts(written).map((text, at) => [written[at], text]));
        return splits.map((place) => texts.get(place) ?? "");
      },
    });
    const numbers = (log: boolean, side: number, space: number): Partial<uPlot.Axis> => (log ? logarithmic(side, space) : { ...places, values: (_: uPlot, splits: (number | null)[]) => tickTexts(splits) });
    const { clientWidth, clientHeight } = this.host;
    return {
      width: Math.max(clientWidth, 50),
      height: Math.max(clientHeight, 50),
      padding: [8, 26, 0, 0], // half of a long label of the x axis at its end
      legend: { show: false },
      scales: {
        x: { time: this.axes.kind === "clock", auto: false, distr: this.axes.xlog ? 3 : 1, range: asGiven },
        y: { auto: false, distr: this.axes.ylog ? 3 : 1, range: asGiven },
      },
      axes: [
        { ...axis, size: 26, space: 60, ...(this.axes.kind === "seconds" ? { incrs: SECONDS, space: 84, values: (_: uPlot, splits: (number | null)[]) => secondTexts(splits) } : this.axes.kind === "clock" ? { values: clock(this.axes.language) } : numbers(this.axes.xlog, 0, 60)) },
        { ...axis, size: (_, values) => 14 + 7 * Math.max(this.axes.aligned ? 7 : 2, ...(values ?? []).map((text) => text?.length ?? 0)), space: 28, ...numbers(this.axes.ylog, 1, 28) },
      ],
      series: [{}, { show: true, points: { show: false }, paths: () => null }],
      cursor: {
        y: false,
        points: { show: false },
        drag: { x: true, y: true, uni: 24, setScale: false },
        ...(sync === null ? {} : { sync: { key: sync, setSeries: false, scales: ["x", null], filters: { pub: (type: string) => type === "mouseleave" || (type === "mousemove" && this.shares(sync)) } } }),
      },
      hooks: {
        draw: [() => this.draw()],
        setCursor: [() => this.moved()],
        setSelect: [() => this.selected()],
      },
    } as uPlot.Options;
  }

  private draw(): void {
    const { ctx, bbox } = this.plot;
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    ctx.lineJoin = "bevel"; // round joins take twice the time
    const crowded = this.lines.length > MANY;
    this.lefts.clear();
    for (const line of this.lines) {
      const pale = line.smooth !== null;
      if (line.band) this.area(ctx, line);
      this.stroke(ctx, line, line.x, line.y, pale ? 0.25 : line.faint ? 0.4 : 1, pale || line.faint || crowded ? 1 : line.width);
      if (line.smooth) this.stroke(ctx, line, line.smooth.x, line.smooth.y, 1, crowded ? 1 : line.width);
      this.marks(ctx, line);
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
    const { xlog, ylog } = this.axes;
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

  private stroke(ctx: CanvasRenderingContext2D, line: Line, x: Float64Array, y: Float64Array, alpha: number, width: number): void {
    const [, toY] = this.positions();
    const lefts = this.leftsOf(x);
    const ratio = uPlot.pxRatio;
    const limit = this.plot.bbox.height * 4;
    const { ylog } = this.axes;
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
      if (alone) spot(lastX, lastY);
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
    const top = (value: number) => (this.axes.ylog && value <= 0 ? floor : toY(value));
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
  private marks(ctx: CanvasRenderingContext2D, line: Line): void {
    if (!line.marks.x.length) return;
    const [toX] = this.positions();
    const { bbox } = this.plot;
    const size = 4 * uPlot.pxRatio;
    ctx.strokeStyle = ctx.fillStyle = line.color;
    ctx.lineWidth = 1.5 * uPlot.pxRatio;
    for (let at = 0; at < line.marks.x.length; at += 1) {
      const value = line.marks.y[at] as number;
      const left = toX(line.marks.x[at] as number);
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

  /**
   * Whether other charts follow a move: every second one, and the last. This chart's values are told with those between.
   * Lines that move over the whole screen, and a table of fifty runs, each cost the most part of a frame.
   */
  private shares(sync: string): boolean {
    clearTimeout(this.later);
    this.sharing = !this.sharing;
    this.later = setTimeout(() => this.settle(sync), SOON);
    return this.sharing;
  }

  private settle(sync: string): void {
    const { cursor, over } = this.plot;
    if (!this.sharing) {
      const left = cursor.left ?? -1;
      if (cursor.sync?.values) cursor.sync.values[0] = this.plot.posToVal(left, "x"); // else that of an earlier window
      uPlot.sync(sync).pub("mousemove", this.plot, left, cursor.top ?? -1, over.clientWidth, over.clientHeight, cursor.idx ?? 0);
    }
    this.sharing = false;
    this.moved();
  }

  /** Charts that show another window still have their cursors where the step was before. */
  private tellAgain(sync: string): void {
    if (!this.plot.over.matches(":hover")) return; // keys move this chart's cursor alone
    clearTimeout(this.later);
    this.sharing = false;
    this.later = setTimeout(() => this.settle(sync), SOON);
  }

  private leave(): void {
    clearTimeout(this.later);
    if (this.sync !== null && pointedAt.get(this.sync) === this) pointedAt.delete(this.sync);
    this.hovering = this.sharing = false;
    this.clear();
    this.events.hovered(null);
  }

  private clear(): void {
    this.overlay.hidden = true;
  }

  private moved(): void {
    const { left, top } = this.plot.cursor;
    const own = this.plot.cursor.event !== null && this.plot.cursor.event !== undefined;
    if (left === undefined || top === undefined || left < 0 || (!own && !this.hovering)) {
      if (this.hovering && (left ?? -1) < 0) this.leave();
      return;
    }
    if (!own && !this.plot.over.matches(":hover") && !this.host.contains((this.host.getRootNode() as Document | ShadowRoot).activeElement)) return;
    this.hovering = true;
    if (this.sync !== null) pointedAt.set(this.sync, this);
    const place = this.plot.posToVal(left, "x");
    const near = this.nearAt(place, top);
    this.highlight(near);
    if (!this.sharing) this.events.hovered({ left, top, place, near });
  }

  /** The curves' points nearest to a place, the greatest value first. */
  nearAt(place: number, top: number): Near[] {
    const found: Near[] = [];
    for (const line of this.lines) {
      if (line.faint) continue;
      const at = nearest(line.x, place);
      if (at < 0) continue;
      const x = line.x[at] as number;
      if (Math.abs(this.plot.valToPos(x, "x") - this.plot.valToPos(place, "x")) > REACH && line.x.length > 1 && (place < (line.x[0] as number) || place > (line.x.at(-1) as number))) continue;
      const smoothed = line.smooth ? nearest(line.smooth.x, place) : -1;
      const smooth = smoothed >= 0 ? (line.smooth?.y[smoothed] ?? null) : null;
      const y = line.y[at] as number;
      const drawn = smooth ?? y;
      const away = Number.isFinite(drawn) ? Math.abs(this.plot.valToPos(drawn, "y") - top) : Infinity;
      found.push({ line, x, y, smooth, count: line.counts ? (line.counts[at] ?? null) : null, away });
    }
    return found.sort((a, b) => order(b.smooth ?? b.y) - order(a.smooth ?? a.y));
  }

  /** Show the curves of some runs before all others, which pale. */
  emphasize(runs: readonly string[]): void {
    const lines = runs.length ? this.lines.filter((line) => line.runs.some((run) => runs.includes(run))) : [];
    if (this.hovering) return;
    if (!lines.length) return this.clear();
    const context = this.emptied();
    if (!context) return;
    context.fillStyle = this.axes.dark ? PAPER.dark : PAPER.light;
    context.globalAlpha = 0.65;
    context.fillRect(0, 0, this.overlay.width, this.overlay.height);
    context.globalAlpha = 1;
    for (const line of lines) this.bold(context, line);
  }

  /** A curve on the canvas above the others, with an edge that parts it from them. */
  private bold(context: CanvasRenderingContext2D, line: Line): void {
    const { left, top } = this.plot.bbox;
    const { x, y } = line.smooth ?? line;
    context.setTransform(1, 0, 0, 1, -left, -top);
    context.lineJoin = "bevel";
    this.stroke(context, { ...line, dash: [], color: this.axes.dark ? PAPER.dark : PAPER.light }, x, y, 0.8, 5);
    this.stroke(context, line, x, y, 1, 2.5);
  }

  /** The canvas above the others, empty and shown. */
  private emptied(): CanvasRenderingContext2D | null {
    const { width, height } = this.plot.bbox; // the element's own size would lay the page out anew
    if (this.overlay.width !== width || this.overlay.height !== height) [this.overlay.width, this.overlay.height] = [width, height];
    this.overlay.hidden = false;
    const context = this.overlay.getContext("2d");
    context?.setTransform(1, 0, 0, 1, 0, 0);
    context?.clearRect(0, 0, width, height);
    return context;
  }

  private highlight(near: readonly Near[]): void {
    const ratio = uPlot.pxRatio;
    const context = this.emptied();
    if (!context) return;
    if (!near.length) return;
    const closest = near.reduce((a, b) => (b.away < a.away ? b : a));
    if (near.length > 1 && closest.away < Infinity) this.bold(context, closest.line);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    for (const { line, x, y, smooth } of near) {
      const [left, top] = this.place(x, smooth ?? y);
      if (!Number.isFinite(top)) continue;
      context.fillStyle = line.color;
      context.beginPath();
      context.arc(left, top, line === closest.line ? 4 : 2.5, 0, 2 * Math.PI);
      context.fill();
    }
  }

  private selected(): void {
    const { left, top, width, height } = this.plot.select;
    if (!width && !height) return;
    const ordered = (one: number, other: number): [number, number] => (one < other ? [one, other] : [other, one]);
    const full = this.plot.over;
    const x = width > 0 && width < full.clientWidth ? ordered(this.plot.posToVal(left, "x"), this.plot.posToVal(left + width, "x")) : null;
    const y = height > 0 && height < full.clientHeight ? ordered(this.plot.posToVal(top, "y"), this.plot.posToVal(top + height, "y")) : null;
    this.plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
    if (x || y) this.events.zoomed(x ?? this.axes.window, y ?? this.axes.yWindow);
  }

  /** Zoom by the wheel with Ctrl, which a pinch on a trackpad is told as. */
  private wheel(event: WheelEvent): void {
    if (!event.ctrlKey && !event.metaKey) return this.events.scrolled?.();
    event.preventDefault();
    const { x } = this.plot.scales;
    if (x?.min === undefined || x.max === undefined) return;
    const share = event.offsetX / this.plot.over.clientWidth;
    const factor = Math.exp(Math.sign(event.deltaY) * Math.min(Math.abs(event.deltaY), 60) * 0.005);
    const goesOn = event.timeStamp - this.wheeled < GESTURE;
    this.wheeled = event.timeStamp;
    this.events.zoomed(scaled(x.min, x.max, share, factor, this.axes.xlog), this.axes.yWindow, goesOn);
  }

  private touched({ touches }: TouchEvent): void {
    const { x } = this.plot.scales;
    const pinch = pinchOf(touches, this.plot.over.getBoundingClientRect());
    this.held = pinch && x?.min !== undefined && x.max !== undefined ? { pinch, window: [x.min, x.max], begun: false } : null;
  }

  private pinched(event: TouchEvent): void {
    const now = pinchOf(event.touches, this.plot.over.getBoundingClientRect());
    if (!now || !this.held) return; // one finger scrolls the page
    event.preventDefault();
    const { pinch, window } = this.held;
    const zoomed = scaled(...window, pinch.share, pinch.apart / now.apart, this.axes.xlog);
    this.events.zoomed(moved(...zoomed, pinch.share - now.share, this.axes.xlog), this.axes.yWindow, this.held.begun);
    this.held.begun = true;
  }
}

/** Two fingers: their middle as a share of the width, and how many pixels they are apart. */
interface Pinch {
  share: number;
  apart: number;
}

export function pinchOf(touches: ArrayLike<{ clientX: number; clientY: number }>, { left, width }: { left: number; width: number }): Pinch | null {
  const [one, other] = [touches[0], touches[1]];
  if (touches.length !== 2 || !one || !other || width <= 0) return null;
  return { share: ((one.clientX + other.clientX) / 2 - left) / width, apart: Math.max(Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY), 10) };
}

/** A window that is larger or smaller around a share of itself. */
export function scaled(low: number, high: number, share: number, factor: number, log: boolean): [number, number] {
  const [a, b] = log ? [Math.log(low), Math.log(high)] : [low, high];
  const at = a + (b - a) * share;
  const [from, to] = [at - (at - a) * factor, at + (b - at) * factor];
  return log ? [Math.exp(from), Math.exp(to)] : [from, to];
}

/** A window that is moved by a share of itself. */
export function moved(low: number, high: number, by: number, log: boolean): [number, number] {
  if (!log) return [low + (high - low) * by, high + (high - low) * by];
  const factor = (high / low) ** by;
  return [low * factor, high * factor];
}

/** Values of the points whose places lie in a window, and those next to it: a line leads there. */
function visible(x: Float64Array, y: Float64Array, low: number, high: number): Float64Array {
  if (!y.length || (low <= (x[0] ?? 0) && high >= (x.at(-1) ?? 0))) return y;
  return y.filter((_, at) => (x[at] as number) >= low && (x[at] as number) <= high);
}

function order(value: number): number {
  return Number.isNaN(value) ? -Infinity : value;
}

function clock(language: string): (plot: uPlot, splits: number[]) => string[] {
  return (_, splits) => {
    const spread = (splits.at(-1) ?? 0) - (splits[0] ?? 0);
    const parts: Intl.DateTimeFormatOptions = spread > 2 * 86400 ? { month: "short", day: "numeric" } : spread > 300 ? { hour: "2-digit", minute: "2-digit" } : { minute: "2-digit", second: "2-digit" };
    return splits.map((at) => new Date(at * 1000).toLocaleString(language, parts));
  };
}
