// One chart on a canvas. uPlot draws axes and grid and follows the pointer.
import uPlot from "uplot";
import { flattening, nearest, rangeOf } from "../ranges";
import { axesOf, writtenTicks } from "./axes";
import { listen, moved, scaled } from "./gestures";
import { type Axes, FONT, INK, type Line, PAPER } from "./line";
import { Painter } from "./painter";
import { pictureOf } from "./picture";

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

const SOON = 40; // milliseconds after the last move at which all of the screen has followed it
const REACH = 12; // pixels beyond a curve's end at which the pointer still tells of it

/** Group of charts that share a cursor -> the chart that the pointer is at. */
const pointedAt = new Map<string, Chart>();

export class Chart {
  lines: Line[] = [];
  axes: Axes;
  private readonly plot: uPlot;
  private readonly painter: Painter;
  private readonly observer: ResizeObserver;
  private readonly overlay: HTMLCanvasElement;
  private hovering = false;
  private sharing = false;
  private later: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly host: HTMLElement,
    axes: Axes,
    private readonly events: Events,
    private readonly sync: string | null,
  ) {
    this.axes = axes;
    this.plot = new uPlot(this.options(sync), [[0, 1], [0, 1]], host);
    this.painter = new Painter(this.plot, () => this.axes);
    this.overlay = document.createElement("canvas");
    this.overlay.className = "overlay";
    this.overlay.hidden = true; // each canvas that is shown costs time at every frame
    this.plot.over.append(this.overlay);
    this.plot.over.addEventListener("mouseleave", () => this.leave());
    this.plot.over.addEventListener("dblclick", () => this.events.zoomed(null, null));
    listen(this.plot.over, () => this.xAxis(), {
      zoomed: (window, goesOn) => this.events.zoomed(window, this.axes.yWindow, goesOn),
      scrolled: () => this.events.scrolled?.(),
    });
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
  ticks(): ReturnType<typeof writtenTicks> {
    return writtenTicks(this.plot);
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
    const shown = this.xAxis();
    if (shift && (name === "ArrowLeft" || name === "ArrowRight") && this.axes.window) {
      this.events.zoomed(moved(...this.axes.window, name === "ArrowRight" ? 0.1 : -0.1, this.axes.xlog), this.axes.yWindow);
    } else if (name === "Home" || name === "End") this.point(name === "Home" ? 0 : width - 1);
    else if (name === "Escape" && this.hovering) this.leave();
    else if (name === "ArrowLeft" || name === "ArrowRight") {
      const start = left < 0 ? width / 2 : left;
      this.point(Math.min(Math.max(start + (name === "ArrowRight" ? 8 : -8), 0), width - 1));
    } else if ((name === "+" || name === "=" || name === "-") && shown) {
      this.events.zoomed(scaled(...shown.window, left < 0 ? 0.5 : left / width, name === "-" ? 1.5 : 1 / 1.5, this.axes.xlog), this.axes.yWindow);
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
    const asGiven = (_: uPlot, low: number, high: number): uPlot.Range.MinMax => [low, high]; // not to powers of ten
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
      axes: axesOf(() => this.axes),
      series: [{}, { show: true, points: { show: false }, paths: () => null }],
      cursor: {
        y: false,
        points: { show: false },
        drag: { x: true, y: true, uni: 24, setScale: false },
        ...(sync === null ? {} : { sync: { key: sync, setSeries: false, scales: ["x", null], filters: { pub: (type: string) => type === "mouseleave" || (type === "mousemove" && this.shares(sync)) } } }),
      },
      hooks: {
        draw: [() => this.painter.draw(this.lines)],
        setCursor: [() => this.moved()],
        setSelect: [() => this.selected()],
      },
    } as uPlot.Options;
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
    this.painter.stroke(context, { ...line, dash: [], color: this.axes.dark ? PAPER.dark : PAPER.light }, x, y, 0.8, 5);
    this.painter.stroke(context, line, x, y, 1, 2.5);
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

  private xAxis(): { window: [number, number]; log: boolean } | null {
    const { min, max } = this.plot.scales.x ?? {};
    return min === undefined || max === undefined ? null : { window: [min, max], log: this.axes.xlog };
  }
}

/** Values of the points whose places lie in a window, and those next to it: a line leads there. */
function visible(x: Float64Array, y: Float64Array, low: number, high: number): Float64Array {
  if (!y.length || (low <= (x[0] ?? 0) && high >= (x.at(-1) ?? 0))) return y;
  return y.filter((_, at) => (x[at] as number) >= low && (x[at] as number) <= high);
}

function order(value: number): number {
  return Number.isNaN(value) ? -Infinity : value;
}
