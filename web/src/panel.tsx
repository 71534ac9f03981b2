// One chart of the page: asks for the curves that it needs once it is in view, and draws them.
import { batch, useComputed, useSignal, useSignalEffect } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { Chart, type Hover, type Said } from "./chart/chart";
import { type Axes, DASHES, type Line } from "./chart/line";
import { type Answer, type Curve, curves, Refusal } from "./api";
import { useFollowed } from "./asked";
import { has } from "./expressions";
import { csv, download, pythonCode, svg } from "./export";
import { short, tint } from "./format";
import { groupOf } from "./grouping";
import { Icon } from "./icon";
import { language, t } from "./language";
import { Menu } from "./menu";
import { bandText } from "./words";
import { panelTags } from "./ranges";
import { freshness } from "./freshness";
import { printing } from "./print";
import { answer, dark, drawn, pointed, span, tags as allTags } from "./store";
import { spoken, Tooltip } from "./tooltip";
import { axis, part, show, toggled, view } from "./view";

const SYNC = "vizkit";
const RETRY = 1500; // milliseconds after which an answer that did not come is asked for again
const FEW = 5; // runs of a group that are drawn themselves
const HINTS = 3; // times that a wheel without Ctrl is answered with a hint, until there is a zoom
const HINT = 2500; // milliseconds
const NOTHING: Answer = { curves: [], band: "", without: {} };

interface Answered {
  /** runs of a group that are drawn themselves, behind the others. */
  alone: Curve[];
  whole: Curve[];
  tags: string[];
}

interface Props {
  /** a tag, or a text that names several. */
  text: string;
  own: boolean;
  full: boolean;
}

const full = part("full");
let hints = 0;
let returning = ""; // the panel that was full screen, and has the focus again

export function Panel({ text, own, full: isFull }: Props) {
  const host = useRef<HTMLDivElement>(null);
  const chart = useRef<Chart | null>(null);
  const switched = useRef<HTMLButtonElement>(null);
  const thinned = useRef(false);
  const seen = useSignal(false);
  const near = useComputed(() => seen.value || printing.value);
  const busy = useSignal(false);
  const attempts = useSignal(0);
  const trouble = useSignal("");
  const said = useSignal<Said>({ outside: 0, flattening: 0, refused: 0 });
  const hover = useSignal<Hover | null>(null);
  const window = useSignal<[number, number] | null>(null);
  const yWindow = useSignal<[number, number] | null>(null);
  const answered = useSignal<Answered>({ alone: [], whole: [], tags: [] });
  const lines = useComputed(() => [...toLines(answered.value.alone, answered.value.tags, true), ...toLines(answered.value.whole, answered.value.tags, false)]);
  const band = useSignal("");
  const without = useSignal("");
  const width = useSignal(0);
  const told = useSignal("");
  const copied = useSignal(false);
  const hinted = useSignal(false);

  const isOwn = useFollowed(own);
  const names = useComputed(() => (isOwn.value ? panelTags(text, allTags.value) : [text]));
  const question = useComputed(() => {
    const now = view.value;
    const own = now.shared ? null : window.value;
    const [from, to] = now.shared ? [now.from, now.to] : [own?.[0] ?? null, own?.[1] ?? null];
    const runs = drawn.value.filter((run) => names.value.some((tag) => has(run.scalars, tag)));
    return {
      runs: runs.map((run) => run.path),
      x: axis.value,
      xlog: now.xlog && axis.value !== "walltime",
      from,
      to,
      smooth: now.smooth === "none" ? "0" : now.smooth === "ema" ? String(now.amount) : `${now.smooth}:${now.amount}`,
      group: now.run ? [] : now.group,
      centre: now.centre,
      band: now.band !== "auto" ? now.band : now.ylog ? "minmax" : "ci", // an interval of few runs often reaches below zero
      few: now.band === "auto",
    };
  });
  // Compared as a text: asked again when it differs, or when a run that it names has new records.
  const key = useComputed(() => {
    const fresh = question.value.runs.map((path) => freshness.value.get(path) ?? 0);
    return JSON.stringify([names.value, question.value, fresh, width.value]);
  });
  const axes = useComputed<Axes>(() => {
    const now = view.value;
    const { from, to } = question.value;
    const whole = from !== null && to !== null;
    return {
      kind: axis.value === "time" || axis.value === "relative" ? "seconds" : axis.value === "walltime" ? "clock" : "number",
      xlog: question.value.xlog,
      ylog: now.ylog,
      robust: now.robust,
      window: whole ? [from, to] : span.value && !now.xlog ? around(span.value, lines.value) : null,
      aligned: now.run !== "",
      yWindow: yWindow.value,
      dark: dark.value,
      language,
    };
  });

  // The focus follows a panel to full screen and back.
  useEffect(() => {
    if (!isFull && returning !== text) return;
    returning = "";
    switched.current?.focus();
  }, []);
  const turn = () => {
    if (isFull) returning = text;
    show({ full: isFull ? "" : text }, true);
  };

  useEffect(() => {
    const element = host.current;
    if (!element) return;
    const observer = new IntersectionObserver((entries) => (seen.value = entries.some((entry) => entry.isIntersecting)), { rootMargin: "200px" });
    observer.observe(element);
    return () => observer.disconnect();
  }, []);

  /** For tests: the chart, once it has been answered. */
  const tell = () => {
    if (host.current && chart.current) (host.current as HTMLElement & { chart?: Chart }).chart = chart.current;
  };

  // The chart is made anew for other kinds of axes: uPlot keeps those that it was given.
  const kind = useComputed(() => `${axes.value.kind} ${axes.value.xlog} ${axes.value.ylog}`);
  useSignalEffect(() => {
    void kind.value;
    if (!near.value || !host.current) return;
    const made = new Chart(
      host.current,
      axes.peek(),
      {
        zoomed(x, y, goesOn) {
          hints = HINTS;
          hinted.value = false;
          yWindow.value = y;
          if (view.peek().shared) show({ from: x?.[0] ?? null, to: x?.[1] ?? null }, !goesOn);
          else window.value = x;
        },
        hovered(at) {
          hover.value = at;
        },
        resized() {
          measure();
        },
        scrolled() {
          if (hinted.peek() || hints >= HINTS) return;
          hints += 1;
          hinted.value = true;
          setTimeout(() => (hinted.value = false), HINT);
        },
      },
      SYNC,
    );
    chart.current = made;
    width.value = made.columns();
    if (lines.peek().length) {
      made.update(lines.peek(), axes.peek());
      tell();
    }
    return () => {
      made.destroy();
      chart.current = null;
      hover.value = null;
    };
  });

  useSignalEffect(() => {
    void key.value;
    void attempts.value;
    if (!near.value || !chart.current) return;
    const abort = new AbortController();
    let again: ReturnType<typeof setTimeout> | undefined;
    const asked = question.peek();
    const tags = names.peek();
    busy.value = true;
    const get = (group: string[]) => Promise.all(tags.map((tag) => {
      const runs = withTag(asked.runs, tag);
      return runs ? curves({ ...asked, group, runs, tag, width: width.peek() }, abort.signal) : NOTHING;
    }));
    void get(asked.group)
      .then(async (found) => {
        // An interval of a few runs says little: they are drawn themselves, unless a band is asked for.
        const few = new Set(found.flatMap((one) => one.curves).filter((curve) => curve.counts && curve.paths.length < FEW).flatMap((curve) => curve.paths));
        const alone = asked.few && few.size ? (await get([])).flatMap((one) => one.curves).filter((curve) => few.has(curve.key)) : [];
        return { found, alone, few };
      })
      .then(({ found, alone, few }) => {
        if (abort.signal.aborted) return;
        const whole = found.flatMap((one) => one.curves).map((curve) => (alone.length && curve.paths.some((path) => few.has(path)) ? { ...curve, band: null } : curve));
        thinned.current = whole.some((curve) => curve.thinned);
        batch(() => {
          answered.value = { alone, whole, tags };
          band.value = alone.length ? "" : (found[0]?.band ?? "");
          without.value = Object.values(found[0]?.without ?? {})[0] ?? "";
          trouble.value = "";
          busy.value = false;
        });
        tell();
      })
      .catch((error: unknown) => {
        if (abort.signal.aborted) return;
        if (error instanceof Refusal) {
          busy.value = false;
          trouble.value = error.message;
        } else again = setTimeout(() => (attempts.value += 1), RETRY); // the server, or the way to it, is away
        tell();
      });
    return () => {
      clearTimeout(again);
      abort.abort();
    };
  });

  useSignalEffect(() => {
    const now = lines.value;
    const how = axes.value;
    if (!near.value || !chart.current || (!now.length && busy.peek() && !chart.current.lines.length)) return; // what is asked for comes soon
    said.value = chart.current.update(now, how);
    measure();
  });

  useSignalEffect(() => {
    const runs = pointed.value;
    void lines.value;
    chart.current?.emphasize(runs);
  });

  const name = own ? text : text.slice(text.indexOf("/") + 1);
  const notes = [
    bandText(band.value),
    without.value,
    said.value.outside ? t("{n} of {all} curves beyond the range", { n: said.value.outside, all: lines.value.length }) : "",
    said.value.refused ? t("{n} values not above zero are not drawn", { n: said.value.refused }) : "",
    names.value.length ? "" : t("no tag matches"),
  ].filter(Boolean);
  const act = (close: () => void, action: () => void) => () => {
    action();
    close();
  };

  return (
    <figure class={isFull ? "panel full" : "panel"} aria-label={text} onKeyDown={(event) => { if (isFull && event.key === "Escape" && !event.defaultPrevented) turn(); }} data-tags={names.value.join(",")} data-busy={busy.value ? "1" : "0"}>
      <figcaption>
        <b title={text}>{name}</b>
        {(yWindow.value || question.value.from !== null) && (
          <button class="quiet" onClick={() => { yWindow.value = null; window.value = null; show({ from: null, to: null }); }}>{t("Reset zoom")}</button>
        )}
        <button class="icon" ref={switched} aria-label={(isFull ? t("Close") : t("Full screen"))} title={(isFull ? t("Close") : t("Full screen"))} onClick={turn}><Icon d={isFull ? "M3 3l10 10M13 3L3 13" : "M3 6V3h3M10 3h3v3M13 10v3h-3M6 13H3v-3"} /></button>
        <Menu label={t("More of {tag}", { tag: text })} icon="M8 3v.01M8 8v.01M8 13v.01">
          {(close) => <>
            <button role="menuitem" onClick={act(close, () => download(`${text}.csv`, csv(lines.value, axis.value), "text/csv"))}>{t("Data as CSV")}</button>
            <button role="menuitem" onClick={act(close, () => chart.current?.picture(getComputedStyle(document.body).backgroundColor, text).toBlob((blob) => blob && download(`${text}.png`, blob)))}>{t("Picture as PNG")}</button>
            <button role="menuitem" onClick={act(close, () => chart.current && download(`${text}.svg`, svg(chart.current, text), "image/svg+xml"))}>{t("Picture as SVG")}</button>
            <button role="menuitem" onClick={() => void navigator.clipboard?.writeText(pythonCode(document.body.dataset.logdir ?? "log", names.value, { ...view.value, x: axis.value })).then(() => { copied.value = true; setTimeout(() => { copied.value = false; close(); }, 900); })}>{(copied.value ? t("Copied") : t("Copy Python code"))}</button>
            {own && <button role="menuitem" onClick={act(close, () => show({ panels: toggled(view.value.panels, text), full: full.value === text ? "" : full.value }))}>{t("Remove panel")}</button>}
          </>}
        </Menu>
      </figcaption>
      <div class="plot" ref={host} role="img" tabIndex={0} aria-busy={busy.value && !lines.value.length} aria-label={summary(text, lines.value)} onKeyDown={keyed}>
        {hover.value && <Tooltip at={hover.value} x={axis.value} />}
        {hinted.value && <p class="hint">{t("Drag, or Ctrl and wheel, to zoom")}</p>}
      </div>
      {trouble.value && <p class="error" role="alert">{trouble.value}</p>}
      {notes.length > 0 && <p class="note">{notes.join(" · ")}</p>}
      {said.value.flattening > 0 && (
        <p class="note">
          {t("flattened by {n} of {all} curves", { n: said.value.flattening, all: lines.value.length })}{" "}
          <button onClick={() => show({ robust: true })}>{t("Leave outliers out")}</button>
        </p>
      )}
      <p class="unseen" role="status">{told.value}</p>
    </figure>
  );

  /** What the keys come upon is said, too. */
  function keyed(event: KeyboardEvent): void {
    if (!chart.current?.key(event.key, event.shiftKey)) return;
    event.preventDefault();
    told.value = hover.value ? spoken(hover.value, axis.value) : "";
  }

  /** Thinned curves are asked for again once the drawing has another width: each pixel has its own extremes. */
  function measure(): void {
    const now = chart.current?.columns() ?? 0;
    if (now && now !== width.peek() && thinned.current) width.value = now;
  }

  function toLines(found: Curve[], tags: string[], faint: boolean): Line[] {
    const known = new Map((answer.peek()?.runs ?? []).map((run) => [run.path, run]));
    const several = tags.length > 1;
    return found.map((curve) => {
      const first = curve.paths[0] ?? "";
      const run = known.get(first);
      const group = groupOf.peek().get(first); // a mean has its group's colour, and so have its runs behind it
      const dash = several ? tags.indexOf(curve.tag) : ((group ? group.lap : run?.dash) ?? 0);
      const label = curve.counts ? curve.key || t("{n} runs", { n: curve.paths.length }) : (run?.name ?? curve.key);
      return {
        key: `${curve.key} ${curve.tag}`,
        runs: curve.paths,
        name: several ? `${label} · ${curve.tag}` : label,
        color: tint(group?.color ?? run?.color ?? "#5790fc", dark.value),
        dash: DASHES[dash % DASHES.length] ?? [],
        width: curve.counts ? 2.2 : 1.5,
        faint,
        x: curve.x,
        y: curve.y,
        columns: curve.columns,
        smooth: curve.smooth,
        band: curve.band,
        counts: curve.counts,
        marks: curve.marks,
        members: curve.paths.length,
      };
    });
  }
}

/** The runs among some that have a tag; null where there is nothing to ask for; none asks why an expression has none. */
function withTag(paths: readonly string[], tag: string): string[] | null {
  const asked = new Set(paths);
  const found = drawn.peek().filter((run) => asked.has(run.path) && has(run.scalars, tag)).map((run) => run.path);
  return found.length || !(answer.peek()?.runs ?? []).some((run) => has(run.scalars, tag)) ? found : null;
}

/** A part of the horizontal axis that holds all points of some curves, too. */
function around([low, high]: [number, number], lines: readonly Line[]): [number, number] {
  const ends = lines.flatMap(({ x }) => [x[0] ?? low, x.at(-1) ?? high]);
  return [Math.min(low, ...ends), Math.max(high, ...ends)];
}

function summary(text: string, lines: readonly Line[]): string {
  const last = lines.slice(0, 5).map((line) => `${line.name} ${short(line.y.findLast((value) => Number.isFinite(value)) ?? NaN)}`);
  return [`${text}: ${t("{n} runs", { n: lines.length })}`, ...last].join(", ");
}
