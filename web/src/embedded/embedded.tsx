// The chart with its controls, its legend and its values.
import { type Signal, signal, useComputed, useSignal, useSignalEffect } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { Chart, type Hover, type Said } from "../chart/chart";
import type { Axes } from "../chart/line";
import { csv, download, svg } from "../export";
import { short, tint } from "../format";
import { language, t } from "../language";
import { spoken, Tooltip } from "../tooltip";
import { bandText } from "../words";
import { type Data, labels, linesOf, type Panel } from "./data";

/** What is shown: the numbers, and what the reader chose. */
export interface State extends Chosen {
  data: Signal<Data>;
  dark: Signal<boolean>;
}

interface Chosen {
  level: Signal<string>;
  xlog: Signal<boolean>;
  ylog: Signal<boolean>;
  robust: Signal<boolean>;
  hidden: Signal<ReadonlySet<string>>;
  /** the part of the x axis that all panels show; null: all. */
  zoom: Signal<[number, number] | null>;
  /** keys of the curves that the pointer is at in the legend. */
  pointed: Signal<readonly string[]>;
}

/** What a reader sees at first. */
export function plain(data: Data): Chosen {
  return {
    level: signal(data.smooth),
    xlog: signal(data.xlog),
    ylog: signal(data.ylog),
    robust: signal(data.robust),
    hidden: signal<ReadonlySet<string>>(new Set()),
    zoom: signal<[number, number] | null>(null),
    pointed: signal<readonly string[]>([]),
  };
}

interface Props {
  state: State;
  /** the element that is shown full screen. */
  root: HTMLElement;
}

export function Embedded({ state, root }: Props) {
  const data = state.data.value;
  const { levels } = data;
  const level = levels.length && !levels.includes(state.level.value) ? "0" : state.level.value;
  const full = useSignal(false);
  useEffect(() => {
    const follow = () => (full.value = fullScreen(root));
    document.addEventListener("fullscreenchange", follow);
    return () => document.removeEventListener("fullscreenchange", follow);
  }, []);
  return (
    <>
      <div class="bar" role="toolbar" aria-label={t("Settings of all charts")}>
        {data.status && <span class="status">{data.running && <b class="live" aria-hidden="true">● </b>}{data.status}</span>}
        <label>
          {t("Smoothing")}
          {levels.length ? (
            <select value={level} onChange={(event) => (state.level.value = event.currentTarget.value)}>
              {levels.map((level) => <option key={level} value={level}>{level === "0" ? t("none") : level}</option>)}
            </select>
          ) : (
            <>
              <input type="range" min={0} max={0.999} step={0.001} value={level} onInput={(event) => (state.level.value = event.currentTarget.value)} />
              <output>{level}</output>
            </>
          )}
        </label>
        <Check value={state.ylog} text={t("Logarithmic y")} />
        {data.x !== "walltime" && <Check value={state.xlog} text={t("Logarithmic x")} />}
        <Check value={state.robust} text={t("Leave outliers out")} />
        <span class="fill" />
        {document.fullscreenEnabled && <button onClick={() => void (full.value ? document.exitFullscreen() : root.requestFullscreen())}>{full.value ? t("Close") : t("Full screen")}</button>}
      </div>
      <div class={data.panels.length > 1 ? "panels" : ""}>
        {data.panels.map((panel) => <Figure key={panel.title} panel={panel} state={state} />)}
      </div>
      <Legend state={state} />
      {data.stretches > 0 && <p class="note">{t("Long curves are here as the least and greatest of {n} stretches each: a closer zoom shows no more.", { n: data.stretches })}</p>}
      <details>
        <summary>{t("Values as a table")}</summary>
        <div class="values"><slot /></div>
      </details>
    </>
  );
}

function fullScreen(root: HTMLElement): boolean {
  return (root.getRootNode() as Document | ShadowRoot).fullscreenElement === root;
}

function Check({ value, text }: { value: Signal<boolean>; text: string }) {
  return (
    <label class="check">
      <input type="checkbox" checked={value.value} onChange={(event) => (value.value = event.currentTarget.checked)} /> {text}
    </label>
  );
}

/** The curves of all panels: a click hides one, with Alt it hides all others. */
function Legend({ state }: { state: State }) {
  const curves = state.data.value.panels.flatMap((panel) => panel.curves);
  const names = labels(curves);
  const hidden = state.hidden.value;
  // A run of several panels has one entry.
  const entries = new Map<string, { name: string; keys: string[]; color: string; dash: number }>();
  const several = state.data.value.panels.length > 1;
  for (const [at, curve] of curves.entries()) {
    const name = several ? curve.name : (names[at] ?? curve.name);
    const known = entries.get(name);
    if (known) known.keys.push(curve.key);
    else entries.set(name, { name, keys: [curve.key], color: curve.color, dash: curve.dash });
  }
  const choose = (keys: readonly string[], alone: boolean) => {
    const out = new Set(hidden);
    const others = curves.map((curve) => curve.key).filter((key) => !keys.includes(key));
    if (alone) {
      const already = others.every((key) => out.has(key));
      for (const key of others) if (already) out.delete(key);
      else out.add(key);
      for (const key of keys) out.delete(key);
    } else {
      const away = keys.every((key) => out.has(key));
      for (const key of keys) if (away) out.delete(key);
      else out.add(key);
    }
    state.hidden.value = out;
  };
  return (
    <ul class="legend" aria-label={t("Runs")}>
      {[...entries.values()].map(({ name, keys, color, dash }) => (
        <li key={name}>
          <button aria-pressed={!keys.every((key) => hidden.has(key))} title={t("Alt: only this one")} onMouseEnter={() => (state.pointed.value = keys)} onMouseLeave={() => (state.pointed.value = [])} onClick={(event) => choose(keys, event.altKey)}>
            <svg width="18" height="8" aria-hidden="true"><path d="M0 4h18" stroke={tint(color, state.dark.value)} stroke-width="3" stroke-dasharray={["", "5 3", "2 2", "6 2 2 2", "3 2"][dash % 5]} /></svg>
            {name}
          </button>
        </li>
      ))}
    </ul>
  );
}

function Figure({ panel, state }: { panel: Panel; state: State }) {
  const host = useRef<HTMLDivElement>(null);
  const chart = useRef<Chart | null>(null);
  const seen = useSignal(panel);
  seen.value = panel;
  const hover = useSignal<Hover | null>(null);
  const told = useSignal("");
  const said = useSignal<Said>({ outside: 0, flattening: 0, refused: 0 });
  const yZoom = useSignal<[number, number] | null>(null);
  const { x } = state.data.value;
  const lines = useComputed(() => linesOf(seen.value, state.level.value, state.hidden.value, state.dark.value));
  const axes = useComputed<Axes>(() => ({
    kind: x === "time" || x === "relative" ? "seconds" : x === "walltime" ? "clock" : "number",
    xlog: state.xlog.value && x !== "walltime",
    ylog: state.ylog.value,
    robust: state.robust.value,
    window: state.zoom.value,
    yWindow: yZoom.value,
    aligned: false,
    dark: state.dark.value,
    language,
  }));
  const kind = useComputed(() => `${axes.value.xlog} ${axes.value.ylog}`); // uPlot keeps the axes that it was given
  useSignalEffect(() => {
    void kind.value;
    if (!host.current) return;
    const made = new Chart(host.current, axes.peek(), {
      zoomed(x, y) {
        state.zoom.value = x;
        yZoom.value = y;
      },
      hovered(at) {
        hover.value = at;
      },
      resized() {},
    }, null);
    chart.current = made;
    (host.current as HTMLElement & { chart?: Chart }).chart = made; // for tests: what is drawn
    return () => {
      made.destroy();
      chart.current = null;
      hover.value = null;
    };
  });
  useSignalEffect(() => {
    void kind.value;
    const [now, how] = [lines.value, axes.value];
    if (chart.current) said.value = chart.current.update(now, how);
  });
  useSignalEffect(() => {
    void lines.value;
    chart.current?.emphasize(state.pointed.value);
  });
  const notes = [
    bandText(panel.band),
    said.value.outside ? t("{n} of {all} curves beyond the range", { n: said.value.outside, all: lines.value.length }) : "",
    said.value.refused ? t("{n} values not above zero are not drawn", { n: said.value.refused }) : "",
  ].filter(Boolean);
  const zoomed = state.zoom.value !== null || yZoom.value !== null;
  const last = lines.value.slice(0, 5).map((line) => `${line.name} ${short(line.y.findLast((value) => Number.isFinite(value)) ?? NaN)}`);
  const about = [`${panel.title}: ${t("{n} runs", { n: lines.value.length })}`, ...last].join(", ");
  return (
    <figure class="panel" aria-label={panel.title}>
      <figcaption>
        <b title={panel.title}>{panel.title}</b>
        {zoomed && <button onClick={() => { state.zoom.value = null; yZoom.value = null; }}>{t("Reset zoom")}</button>}
        <button title={t("Data as CSV")} onClick={() => download(`${panel.title}.csv`, csv(lines.value, x), "text/csv")}>CSV</button>
        <button title={t("Picture as PNG")} onClick={() => chart.current?.picture(state.dark.value ? "#15181c" : "#fff", panel.title).toBlob((blob) => blob && download(`${panel.title}.png`, blob))}>PNG</button>
        <button title={t("Picture as SVG")} onClick={() => chart.current && download(`${panel.title}.svg`, svg(chart.current, panel.title), "image/svg+xml")}>SVG</button>
      </figcaption>
      <div class="plot" ref={host} role="img" tabIndex={0} aria-label={about} onKeyDown={keyed}>
        {hover.value && <Tooltip at={hover.value} x={x} />}
      </div>
      <p class="axis">{axisName(x)}</p>
      {notes.length > 0 && <p class="note">{notes.join(" · ")}</p>}
      {said.value.flattening > 0 && (
        <p class="note">
          {t("flattened by {n} of {all} curves", { n: said.value.flattening, all: lines.value.length })}{" "}
          <button onClick={() => (state.robust.value = true)}>{t("Leave outliers out")}</button>
        </p>
      )}
      <p class="unseen" role="status">{told.value}</p>
    </figure>
  );

  /** What the keys come upon is said, too. */
  function keyed(event: KeyboardEvent): void {
    if (!chart.current?.key(event.key, event.shiftKey)) return;
    event.preventDefault();
    told.value = hover.value ? spoken(hover.value, x) : "";
  }
}

function axisName(x: string): string {
  const names: Record<string, string> = { step: t("Step"), time: t("Time since start"), relative: t("Time since the first record"), epoch: t("Epoch"), walltime: t("Time of day") };
  return names[x] ?? x;
}
