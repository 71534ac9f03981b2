// All runs at once: parallel coordinates whose brushes choose the runs of every view, a scatter, and what differs.
import { useComputed, useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { RunInfo } from "./api";
import { commonFirst } from "./common";
import { exact, setting, short, tint } from "./format";
import { Difference, Texts } from "./difference";
import { GroupTable } from "./groups";
import { t } from "./language";
import { kindOf } from "./words";
import { apart, brushed, brushOf, cutWithin, hueAt, placeOn, readBrushes, type Scale, scaleOf, ticksOf } from "./scales";
import { answer, dark, drawn, drawnPaths, hparams, listed, sortValue, tags } from "./store";
import { emptied, useWidth } from "./sized";
import { Importance, Verdict } from "./verdict";
import { show, toggled, view } from "./view";

const MOST_AXES = 12;
const MOST_BEFORE = 100; // hyper-parameters before the metrics
const MOST_OFFERED = 300;
const LEAST_GAP = 84; // pixels between axes

/** What runs can be laid out by: hyper-parameters that differ, then metrics; of very many hyper-parameters, the rest behind these. */
function useKeys() {
  return useComputed(() => {
    const known = (tag: string) => answer.value?.runs.some((run) => run.metrics[tag]?.mode) ?? false;
    const ordered = commonFirst(tags.value, answer.value?.runs ?? []);
    const differing = hparams.value.filter((one) => one.differs).map((one) => `hparam:${one.name}`);
    return [
      ...differing.slice(0, MOST_BEFORE),
      ...ordered.filter(known).map((tag) => `best:${tag}`),
      ...ordered.map((tag) => `last:${tag}`),
      "seconds",
      ...differing.slice(MOST_BEFORE),
    ];
  });
}

/** The keys that a field offers: the first ones, and the one that is chosen. */
function offered(keys: readonly string[], chosen: string): string[] {
  const first = keys.slice(0, MOST_OFFERED);
  return !chosen || first.includes(chosen) || !keys.includes(chosen) ? first : [...first, chosen];
}

function titleOf(key: string): string {
  const at = key.indexOf(":");
  if (at < 0) return t("Duration");
  const [kind, name] = [key.slice(0, at), key.slice(at + 1)];
  return kind === "hparam" ? name : `${name} (${kindOf(kind)})`;
}

function scaleFor(key: string, runs: readonly RunInfo[]): Scale {
  return scaleOf(key, titleOf(key), runs.map((run) => sortValue(run, key)));
}

const NO_VALUE = { light: "#8b929a", dark: "#78818b" };

/** The colours of runs: their own, or those of their places on a chosen axis, of which some have none. */
function useHues() {
  return useComputed(() => {
    const key = view.value.hue;
    const night = dark.value; // not read later: what is drawn then follows these colours
    const scale = key ? scaleFor(key, answer.value?.runs ?? []) : null;
    const colorOf = (run: RunInfo): string => {
      const place = scale && placeOn(scale, sortValue(run, key));
      return place !== null ? tint(hueAt(place), night) : scale ? NO_VALUE[night ? "dark" : "light"] : tint(run.color, night);
    };
    return { scale, colorOf };
  });
}

export function Compare() {
  return (
    <section class="compare">
      <Parallel />
      <Scatter />
      <GroupTable />
      <Importance />
      <Verdict />
      <Difference />
      <Texts />
    </section>
  );
}

function Parallel() {
  const keys = useKeys();
  const host = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const width = useWidth(host);
  const dragged = useSignal<{ key: string; from: number; to: number } | null>(null);
  const axes = useComputed(() => {
    const chosen = view.value.axes.filter((key) => keys.value.includes(key));
    const plain = [...hparams.value.filter((one) => one.differs && one.common).map((one) => `hparam:${one.name}`).slice(0, MOST_AXES - 2), ...keys.value.filter((key) => key.startsWith("best:")).slice(0, 2)];
    return (chosen.length ? chosen : plain).map((key) => scaleFor(key, answer.value?.runs ?? []));
  });
  const height = 300;
  const [top, bottom, side] = [30, height - 14, 60];
  const hues = useHues();
  const wide = Math.max(width.value, 2 * side + LEAST_GAP * (axes.value.length - 1)); // scrolls where there is less room
  const gap = (wide - 2 * side) / Math.max(axes.value.length - 1, 1);
  const letters = Math.max(6, Math.floor(gap / 8.5));
  const room = (at: number) => (at && at < axes.value.length - 1 ? gap : Math.min(gap, 2 * side)) - 8; // at the edges the title ends with the page
  const toX = (at: number) => side + (axes.value.length > 1 ? at * gap : gap / 2);
  const toY = (place: number) => bottom - place * (bottom - top);
  useEffect(() => {
    if (canvas.current) canvas.current.style.width = `${wide}px`;
    const context = emptied(canvas.current, wide, height);
    if (!context) return;
    const on = drawnPaths.value;
    const order = [...listed.value].sort((a, b) => Number(on.has(a.path)) - Number(on.has(b.path)));
    for (const run of order) {
      const alive = on.has(run.path);
      context.strokeStyle = alive ? hues.value.colorOf(run) : dark.value ? "#31373e" : "#dfe3e8";
      context.globalAlpha = alive ? 0.85 : 0.6;
      context.lineWidth = alive ? 1.6 : 1;
      context.beginPath();
      let pen = false;
      axes.value.forEach((scale, at) => {
        const place = placeOn(scale, sortValue(run, scale.key));
        if (place === null) {
          pen = false; // the run lacks it: a gap
          return;
        }
        if (pen) context.lineTo(toX(at), toY(place));
        else context.moveTo(toX(at), toY(place));
        pen = true;
      });
      context.stroke();
    }
  });
  const brushes = readBrushes(view.value.brush);
  const place = (event: PointerEvent) => (bottom - (event.clientY - (event.currentTarget as Element).getBoundingClientRect().top)) / (bottom - top);
  const keep = (scale: Scale, from: number, to: number, step = true) => {
    const others = brushes.filter((brush) => brush.key !== scale.key).map((brush) => JSON.stringify(brush));
    show({ brush: Math.abs(from - to) < 0.01 ? others : [...others, JSON.stringify(brushOf(scale, from, to))] }, step);
  };
  /** Arrows move the ends of an axis's brush inwards, with Shift outwards; Escape removes it. */
  const keyed = (event: KeyboardEvent, scale: Scale, span: readonly [number, number] | null) => {
    const by = scale.kind === "words" ? 1 / Math.max(scale.words.length - 1, 1) : 0.05;
    let [low, high] = span ? [Math.min(...span), Math.max(...span)] : [0, 1];
    if (event.key === "ArrowUp") [low, high] = event.shiftKey ? [low, high + by] : [low + by, high];
    else if (event.key === "ArrowDown") [low, high] = event.shiftKey ? [low - by, high] : [low, high - by];
    else if (event.key !== "Escape") return;
    event.preventDefault();
    const whole = event.key === "Escape" || (low <= 0 && high >= 1);
    if (whole) keep(scale, 0, 0, false);
    else if (high - low > 0.01) keep(scale, Math.max(low, 0), Math.min(high, 1), false);
  };
  return (
    <figure class="panel wide" aria-label={t("Parallel coordinates")}>
      <figcaption>
        <b>{t("Parallel coordinates")}</b>
        {brushes.length > 0 && <button class="quiet" onClick={() => show({ brush: [] })}>{t("Remove the brushes")}</button>}
        <HueField keys={keys.value} scale={hues.value.scale} />
        <Axes keys={keys.value} shown={axes.value.map((scale) => scale.key)} />
      </figcaption>
      <p class="note">{t("Drag along an axis: only the runs in that part are drawn, in all views.")}</p>
      <div class="parallel" ref={host}>
        <canvas ref={canvas} class="drawing" height={height} role="img" aria-label={t("{n} runs", { n: drawn.value.length })} />
        <svg width={wide} height={height}>
          {axes.value.map((scale, at) => {
            const x = toX(at);
            const brush = brushes.find((one) => one.key === scale.key);
            const drag = dragged.value?.key === scale.key ? ([dragged.value.from, dragged.value.to] as const) : null;
            const span = drag ?? (brush ? brushed(scale, brush) : null);
            return (
              <g key={scale.key} transform={`translate(${x} 0)`}>
                <title>{scale.title}</title>
                <text y={14} text-anchor="middle" class="axis-title">{cutTo(scale.title, room(at))}</text>
                <line y1={top} y2={bottom} class="axis" />
                {apart(ticksOf(scale), 14 / (bottom - top)).map((tick) => <text key={tick.place} x={at ? 6 : -6} y={toY(tick.place) + 4} text-anchor={at ? "start" : "end"} class="tick">{shortened(tick.text, at ? Math.min(16, letters) : 9)}</text>)}
                {span && <rect x={-7} width={14} y={toY(Math.max(...span))} height={Math.max(2, Math.abs(toY(span[0]) - toY(span[1])))} class="brush" />}
                <rect
                  x={-14}
                  width={28}
                  y={0}
                  height={height}
                  class="grip"
                  tabindex={0}
                  role="slider"
                  aria-orientation="vertical"
                  aria-label={scale.title}
                  aria-valuemin={0}
                  aria-valuemax={100}
                  aria-valuenow={Math.round(100 * (span ? (span[0] + span[1]) / 2 : 0.5))}
                  aria-valuetext={brush ? (brush.words?.join(", ") ?? `${short(brush.low ?? NaN)} – ${short(brush.high ?? NaN)}`) : t("all values")}
                  onKeyDown={(event) => keyed(event, scale, span)}
                  onPointerDown={(event) => { event.currentTarget.setPointerCapture(event.pointerId); dragged.value = { key: scale.key, from: place(event), to: place(event) }; }}
                  onPointerMove={(event) => { if (dragged.value?.key === scale.key) dragged.value = { ...dragged.value, to: place(event) }; }}
                  onPointerUp={(event) => { const now = dragged.value; dragged.value = null; if (now) keep(scale, now.from, place(event)); }}
                />
              </g>
            );
          })}
        </svg>
      </div>
    </figure>
  );
}

/** Chooses what the colours of runs show, and tells it. */
function HueField({ keys, scale }: { keys: string[]; scale: Scale | null }) {
  const ends = scale ? (scale.kind === "words" ? [scale.words[0] ?? "", scale.words.at(-1) ?? ""] : [short(scale.low), short(scale.high)]) : [];
  return (
    <span class="hue">
      <label>{t("Colour")} <select value={view.value.hue} onChange={(event) => show({ hue: event.currentTarget.value })}><option value="">{t("Run")}</option>{offered(keys, view.value.hue).map((key) => <option key={key} value={key}>{titleOf(key)}</option>)}</select></label>
      {scale && <small>{shortened(ends[0] ?? "", 12)} <i style={{ background: `linear-gradient(to right, ${[0, 0.33, 0.67, 1].map((place) => tint(hueAt(place), dark.value)).join(", ")})` }} /> {shortened(ends[1] ?? "", 12)}</small>}
    </span>
  );
}

let ruler: CanvasRenderingContext2D | null = null;

/** A title of an axis, cut to a width in pixels: letters of some scripts are twice as wide as others. */
function cutTo(title: string, width: number): string {
  ruler ??= document.createElement("canvas").getContext("2d");
  if (!ruler) return title;
  ruler.font = `600 12px ${getComputedStyle(document.body).fontFamily}`; // as in the styles
  let [least, most] = [2, [...title].length]; // letters that fit, and that may fit
  if (ruler.measureText(title).width <= width) return title;
  while (least < most) {
    const half = Math.ceil((least + most) / 2);
    if (ruler.measureText(cutWithin(title, half)).width <= width) least = half;
    else most = half - 1;
  }
  return cutWithin(title, least);
}

function shortened(text: string, most: number): string {
  return text.length > most ? `${text.slice(0, Math.max(1, most - 1))}…` : text;
}

function Axes({ keys, shown }: { keys: string[]; shown: string[] }) {
  return (
    <details class="choose">
      <summary>{t("Axes")}</summary>
      <fieldset>
        <legend>{t("Axes")}</legend>
        {keys.slice(0, MOST_OFFERED).map((key) => <label key={key} class="check"><input type="checkbox" checked={shown.includes(key)} onChange={() => show({ axes: toggled(shown, key) })} /> {titleOf(key)}</label>)}
      </fieldset>
    </details>
  );
}

function Scatter() {
  const keys = useKeys();
  const over = useSignal<RunInfo | null>(null);
  const host = useRef<HTMLDivElement>(null);
  const measured = useWidth(host, 600);
  const width = Math.max(measured.value, 200);
  const metric = keys.value.find((key) => key.startsWith("best:")) ?? keys.value[0] ?? "seconds";
  const y = keys.value.includes(view.value.sy) ? view.value.sy : metric;
  const x = keys.value.includes(view.value.sx) ? view.value.sx : (keys.value.find((key) => key !== y) ?? "seconds");
  const runs = drawn.value;
  const [across, up] = [scaleFor(x, runs), scaleFor(y, runs)];
  const hues = useHues();
  const height = 300;
  const box = { left: 64, right: width - 16, top: 12, bottom: height - 30 };
  const points = runs.flatMap((run) => {
    const [a, b] = [placeOn(across, sortValue(run, x)), placeOn(up, sortValue(run, y))];
    return a === null || b === null ? [] : [{ run, left: box.left + (0.03 + 0.94 * a) * (box.right - box.left), top: box.bottom - (0.04 + 0.92 * b) * (box.bottom - box.top) }];
  });
  /** Arrows go from point to point. */
  const keyed = (event: KeyboardEvent) => {
    const ordered = points.toSorted((a, b) => a.left - b.left || b.top - a.top).map((point) => point.run);
    const at = over.value ? ordered.indexOf(over.value) : -1;
    if (event.key === "ArrowRight") over.value = ordered[Math.min(at + 1, ordered.length - 1)] ?? null;
    else if (event.key === "ArrowLeft") over.value = ordered[Math.max(at - 1, 0)] ?? null;
    else if (event.key === "Escape") over.value = null;
    else return;
    event.preventDefault();
  };
  const choose = (value: string, set: (key: string) => void, label: string) => (
    <label>{label} <select value={value} onChange={(event) => set(event.currentTarget.value)}>{offered(keys.value, value).map((key) => <option key={key} value={key}>{titleOf(key)}</option>)}</select></label>
  );
  return (
    <figure class="panel wide" aria-label={t("Scatter")}>
      <figcaption><b>{t("Scatter")}</b>{choose(x, (key) => show({ sx: key }), "x")}{choose(y, (key) => show({ sy: key }), "y")}</figcaption>
      <div ref={host}>
        <svg width={width} height={height} role="img" tabindex={0} aria-label={`${across.title}, ${up.title}: ${t("{n} runs", { n: points.length })}`} onKeyDown={keyed} onBlur={() => (over.value = null)}>
          {apart(ticksOf(across), 60 / (0.94 * (box.right - box.left))).map((tick) => <text key={tick.place} x={box.left + (0.03 + 0.94 * tick.place) * (box.right - box.left)} y={height - 12} text-anchor="middle" class="tick">{shortened(tick.text, 14)}</text>)}
          {apart(ticksOf(up), 14 / (0.92 * (box.bottom - box.top))).map((tick) => { const top = box.bottom - (0.04 + 0.92 * tick.place) * (box.bottom - box.top); return <g key={tick.place}><line x1={box.left} x2={box.right} y1={top} y2={top} class="grid-line" /><text x={box.left - 6} y={top + 4} text-anchor="end" class="tick">{shortened(tick.text, 9)}</text></g>; })}
          {points.map(({ run, left, top }) => <circle key={run.path} cx={left} cy={top} r={over.value === run ? 7 : 5} fill={hues.value.colorOf(run)} onMouseEnter={() => (over.value = run)} onMouseLeave={() => (over.value = null)}><title>{`${run.name}\n${across.title}: ${setting(sortValue(run, x))}\n${up.title}: ${setting(sortValue(run, y))}`}</title></circle>)}
        </svg>
      </div>
      <p class="note" role="status">{over.value ? `${over.value.name} · ${across.title} ${setting(sortValue(over.value, x))} · ${up.title} ${typeof sortValue(over.value, y) === "number" ? exact(sortValue(over.value, y) as number) : setting(sortValue(over.value, y))}` : points.length < runs.length ? t("{n} of {all} runs have no such record", { n: runs.length - points.length, all: runs.length }) : " "}</p>
    </figure>
  );
}
