// What is recorded beside scalars: images, histograms, curves of classes, texts and sound, at one step of all runs.
import { type ReadonlySignal, type Signal, useComputed, useSignal, useSignalEffect } from "@preact/signals";
import { type ComponentChildren, createContext } from "preact";
import { useContext, useEffect, useRef } from "preact/hooks";
import type { RunInfo } from "../api";
import { drawCurves, drawHeat, drawRidges } from "./drawings";
import { exact, short, tint } from "../format";
import { mark, t } from "../language";
import { matcher } from "../ranges";
import { area, type ClassCurve, classCurves, type Histogram, histograms, nearestStep, type Place, singles } from "./records";
import { emptied, useWidth } from "../sized";
import { answer, dark, drawn, freshness } from "../store";
import { part, show, toggled, view } from "../view";

const KINDS: [string, string][] = [["image", mark("Images")], ["histogram", mark("Histograms")], ["pr_curve", mark("PR curves")], ["roc_curve", mark("ROC curves")], ["text", mark("Texts")], ["audio", mark("Audio")]];
const MOST_RUNS = 24; // of one tag, drawn at once

const folded = part("folded");

/** The runs whose records are shown. */
const Scope = createContext<ReadonlySignal<RunInfo[]>>(drawn);

export interface MediaOptions {
  /** those that are drawn, unless others are wanted. */
  runs?: ReadonlySignal<RunInfo[]>;
  /** within another page, which has settings of its own. */
  bare?: boolean;
}

/** What runs recorded beside scalars. */
export function Media({ runs = drawn, bare = false }: MediaOptions) {
  const pattern = view.value.tags ? matcher(view.value.tags) : null;
  const found = KINDS.flatMap(([kind, title]) => {
    const all = [...new Set(runs.value.flatMap((run) => run.kinds[kind] ?? []))].filter((tag) => !pattern || pattern.test(tag));
    return all.length ? [{ kind, title, tags: all }] : [];
  });
  return (
    <Scope.Provider value={runs}><section class="media">
      {!bare && <div class="toolbar">
        <input type="search" value={view.value.tags} spellcheck={false} placeholder={t("Tags (regular expression)")} aria-label={t("Select tags by a regular expression")} onInput={(event) => show({ tags: event.currentTarget.value })} />
        <label>{t("Size")} <input type="range" min={28} max={512} step={4} value={view.value.tile} onInput={(event) => show({ tile: Number(event.currentTarget.value) })} /></label>
        <span class="fill" />
        <span class="quiet">{t("{shown} of {all} drawn", { shown: runs.value.length, all: answer.value?.runs.length ?? 0 })}</span>
      </div>}
      {answer.value && !bare && !found.length && <p class="empty">{t("Nothing of this kind is recorded")}</p>}
      {found.map(({ kind, title, tags }) => {
        const closed = folded.value.includes(`:${kind}`);
        return (
          <section key={kind}>
            <h2><button aria-expanded={!closed} onClick={() => show({ folded: toggled(folded.value, `:${kind}`) })}><span aria-hidden="true">{closed ? "▸" : "▾"}</span> {t(title)} <small>{tags.length}</small></button></h2>
            {!closed && <div class={kind === "image" || kind === "audio" ? "" : "grid"}>{tags.map((tag) => <Tag key={tag} kind={kind} tag={tag} />)}</div>}
          </section>
        );
      })}
    </section></Scope.Provider>
  );
}

interface Shown<Record> {
  run: RunInfo;
  records: Record[];
}

/** The records of a tag in the runs that are drawn, asked for once it is in view. */
function useRecords<Record extends Place>(tag: string, kind: string, get: (run: RunInfo, fresh: number) => Promise<Record[]>) {
  const scope = useContext(Scope);
  const host = useRef<HTMLElement>(null);
  const seen = useSignal(false);
  const found = useSignal<Shown<Record>[]>([]);
  const trouble = useSignal("");
  useEffect(() => {
    if (!host.current) return;
    const observer = new IntersectionObserver((entries) => { if (entries.some((entry) => entry.isIntersecting)) seen.value = true; }, { rootMargin: "200px" });
    observer.observe(host.current);
    return () => observer.disconnect();
  }, []);
  const key = useComputed(() => scope.value.filter((run) => run.kinds[kind]?.includes(tag)).slice(0, MOST_RUNS).map((run) => `${run.path} ${freshness.value.get(run.path) ?? 0}`).join("\n"));
  useSignalEffect(() => {
    void key.value;
    if (!seen.value) return;
    let current = true;
    const runs = scope.peek().filter((run) => run.kinds[kind]?.includes(tag)).slice(0, MOST_RUNS);
    void Promise.all(runs.map(async (run) => ({ run, records: await get(run, freshness.peek().get(run.path) ?? 0) })))
      .then((all) => { if (current) { found.value = all.filter((one) => one.records.length > 0); trouble.value = ""; } })
      .catch((error: Error) => { if (current) trouble.value = error.message; });
    return () => { current = false; };
  });
  return { host, found, trouble };
}

function Tag({ kind, tag }: { kind: string; tag: string }) {
  if (kind === "image") return <ImageTag tag={tag} />;
  if (kind === "histogram") return <HistogramTag tag={tag} />;
  if (kind === "pr_curve" || kind === "roc_curve") return <CurveTag tag={tag} kind={kind} />;
  if (kind === "audio") return <AudioTag tag={tag} />;
  return <TextTag tag={tag} />;
}

/** A slider over the steps of all runs; the step is the page's, so that all tags follow. */
function StepSlider({ steps }: { steps: number[] }) {
  const { at } = view.value;
  if (steps.length < 2) return <span class="quiet">{steps.length ? `${t("Step")} ${exact(steps[0] ?? 0)}` : ""}</span>;
  const place = at === null ? steps.length - 1 : Math.max(0, nearestStep(steps.map((step) => ({ step })), at));
  const go = (index: number) => show({ at: index >= steps.length - 1 ? null : (steps[Math.max(index, 0)] ?? null) });
  return (
    <label class="slider">
      {t("Step")}
      <input type="range" min={0} max={steps.length - 1} value={place} onInput={(event) => go(Number(event.currentTarget.value))} />
      <output>{exact(steps[place] ?? 0)}</output>
    </label>
  );
}

function stepsOf(found: readonly Shown<Place>[]): number[] {
  return [...new Set(found.flatMap((one) => one.records.map((record) => record.step)))].sort((a, b) => a - b);
}

function Frame({ tag, host, found, trouble, wide, children, extra }: { tag: string; host: { current: HTMLElement | null }; found: readonly Shown<Place>[]; trouble: string; wide?: boolean; children: ComponentChildren; extra?: ComponentChildren }) {
  return (
    <figure class={wide ? "panel wide" : "panel"} ref={host as never} aria-label={tag}>
      <figcaption>
        <b title={tag}>{tag}</b>
        {extra}
        <StepSlider steps={stepsOf(found)} />
      </figcaption>
      {trouble && <p class="error" role="alert">{trouble}</p>}
      {children}
    </figure>
  );
}

function Name({ run, step, wanted }: { run: RunInfo; step: number; wanted: number | null }) {
  return (
    <span class="caption">
      <i ref={(element) => { if (element) element.style.background = tint(run.color, dark.value); }} /> {run.name}
      {wanted !== null && step !== wanted && <small title={t("the nearest step of this run")}> {t("Step")} {exact(step)}</small>}
    </span>
  );
}

/** Of each run the record that is nearest to the page's step, the last one without a step. */
function useChosen<Record extends Place>(found: Signal<Shown<Record>[]>) {
  return useComputed(() => {
    const steps = stepsOf(found.value);
    const wanted = view.value.at ?? steps.at(-1) ?? 0;
    return found.value.flatMap(({ run, records }) => {
      const record = records[nearestStep(records, wanted)];
      return record ? [{ run, record, wanted }] : [];
    });
  });
}

// -- images -------------------------------------------------------------------------------------------

function ImageTag({ tag }: { tag: string }) {
  const { host, found, trouble } = useRecords(tag, "image", (run, fresh) => singles(run.path, tag, fresh));
  const chosen = useChosen(found);
  const lens = useSignal({ scale: 1, x: 50, y: 50 });
  const wheel = (event: WheelEvent) => {
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    const box = (event.currentTarget as HTMLElement).getBoundingClientRect();
    const scale = Math.min(Math.max(lens.value.scale * Math.exp(-Math.sign(event.deltaY) * 0.2), 1), 64);
    lens.value = { scale, x: ((event.clientX - box.left) / box.width) * 100, y: ((event.clientY - box.top) / box.height) * 100 };
  };
  const size = view.value.tile;
  return (
    <Frame tag={tag} host={host} found={found.value} trouble={trouble.value} wide extra={lens.value.scale > 1 && <button class="quiet" onClick={() => (lens.value = { scale: 1, x: 50, y: 50 })}>{t("Reset zoom")}</button>}>
      <div class="tiles">
        {chosen.value.map(({ run, record, wanted }) => (
          <div class="tile" key={run.path} ref={(element) => { if (element) element.style.width = `${size}px`; }}>
            <div class="lens" ref={(element) => { if (element) { element.style.height = `${size}px`; element.onwheel = wheel; } }}>
              <img loading="lazy" src={record.address} alt={`${tag}, ${run.name}, ${t("Step")} ${exact(record.step)}`} title={t("Ctrl and wheel zooms all images")} onLoad={(event) => event.currentTarget.classList.toggle("pixels", event.currentTarget.naturalWidth < size * 1.5)} ref={(element) => { if (element) { element.style.transform = `scale(${lens.value.scale})`; element.style.transformOrigin = `${lens.value.x}% ${lens.value.y}%`; } }} />
            </div>
            <Name run={run} step={record.step} wanted={wanted} />
          </div>
        ))}
      </div>
    </Frame>
  );
}

// -- histograms ---------------------------------------------------------------------------------------

function HistogramTag({ tag }: { tag: string }) {
  const { host, found, trouble } = useRecords<Histogram>(tag, "histogram", (run, fresh) => histograms(run.path, tag, fresh));
  const heat = view.value.heat;
  return (
    <Frame tag={tag} host={host} found={[]} trouble={trouble.value} extra={<button class="quiet" onClick={() => show({ heat: !heat })}>{(heat ? t("Ridgelines") : t("Heat map"))}</button>}>
      {found.value.slice(0, 6).map(({ run, records }) => (
        <div key={run.path}>
          <Drawing height={heat ? 130 : 170} label={`${tag}, ${run.name}`} draw={(context, width, height) => (heat ? drawHeat : drawRidges)(context, width, height, records, tint(run.color, dark.value), dark.value)} watch={[heat, records, dark.value]} />
          <Name run={run} step={0} wanted={null} />
        </div>
      ))}
      {found.value.length > 6 && <p class="note">{t("and {n} more", { n: found.value.length - 6 })}</p>}
    </Frame>
  );
}

function Drawing({ height, label, draw, watch, onMove, onLeave }: { height: number; label: string; draw(context: CanvasRenderingContext2D, width: number, height: number): void; watch: unknown[]; onMove?: (x: number, y: number, width: number, height: number) => void; onLeave?: () => void }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const width = useWidth(canvas);
  useEffect(() => {
    const context = emptied(canvas.current, width.value, height);
    if (context) draw(context, width.value, height);
  }, [width.value, height, ...watch]);
  return <canvas ref={canvas} class="drawing" role="img" aria-label={label} height={height} onMouseMove={(event) => onMove?.(event.offsetX, event.offsetY, width.value, height)} onMouseLeave={onLeave} />;
}

// -- PR and ROC ---------------------------------------------------------------------------------------

function CurveTag({ tag, kind }: { tag: string; kind: "pr_curve" | "roc_curve" }) {
  const roc = kind === "roc_curve";
  const { host, found, trouble } = useRecords<ClassCurve>(tag, kind, (run, fresh) => classCurves(run.path, tag, fresh));
  const chosen = useChosen(found);
  const point = useSignal<{ run: RunInfo; curve: ClassCurve; at: number } | null>(null);
  const height = 250;
  const move = (left: number, top: number, width: number) => {
    // The nearest point of any curve, in pixels.
    let best: { run: RunInfo; curve: ClassCurve; at: number } | null = null;
    let least = 30 ** 2;
    for (const { run, record } of chosen.value) {
      for (let at = 0; at < record.x.length; at += 1) {
        const [x, y] = [36 + (record.x[at] ?? 0) * (width - 46), 8 + (1 - (record.y[at] ?? 0)) * (height - 34)];
        const away = (x - left) ** 2 + (y - top) ** 2;
        if (away < least) [least, best] = [away, { run, curve: record, at }];
      }
    }
    point.value = best;
  };
  const lines = chosen.value.map(({ run, record }) => ({ x: record.x, y: record.y, color: tint(run.color, dark.value) }));
  const now = point.value;
  const mark = now ? { x: now.curve.x[now.at] ?? 0, y: now.curve.y[now.at] ?? 0 } : null;
  return (
    <Frame tag={tag} host={host} found={found.value} trouble={trouble.value}>
      <Drawing height={height} label={tag} draw={(context, width, tall) => drawCurves(context, width, tall, lines, mark, roc ? [t("False positive rate"), t("True positive rate")] : [t("Recall"), t("Precision")], dark.value)} watch={[lines, mark, dark.value]} onMove={move} onLeave={() => (point.value = null)} />
      <p class="note point" role="status">
        {now
          ? `${now.run.name} · ${t("threshold")} ${short(now.curve.thresholds[now.at] ?? NaN)} · ${roc ? `TPR ${short(now.curve.y[now.at] ?? NaN)} · FPR ${short(now.curve.x[now.at] ?? NaN)}` : `${t("Precision")} ${short(now.curve.y[now.at] ?? NaN)} · ${t("Recall")} ${short(now.curve.x[now.at] ?? NaN)}`} · TP ${now.curve.tp[now.at]} FP ${now.curve.fp[now.at]} TN ${now.curve.tn[now.at]} FN ${now.curve.fn[now.at]}`
          : t("Point at a curve for its threshold and counts")}
      </p>
      <div class="legend">
        {chosen.value.map(({ run, record, wanted }) => (
          <span key={run.path}><Name run={run} step={record.step} wanted={wanted} />{roc && <small title={t("of the points drawn")}> AUC ≈ {short(area(record.x, record.y))}</small>}</span>
        ))}
      </div>
    </Frame>
  );
}

// -- texts and sound ----------------------------------------------------------------------------------

function TextTag({ tag }: { tag: string }) {
  const { host, found, trouble } = useRecords(tag, "text", (run, fresh) => singles(run.path, tag, fresh));
  const chosen = useChosen(found);
  return (
    <Frame tag={tag} host={host} found={found.value} trouble={trouble.value}>
      {chosen.value.map(({ run, record, wanted }) => (
        <div key={run.path}>
          <Name run={run} step={record.step} wanted={wanted} />
          <Text address={record.address} />
        </div>
      ))}
    </Frame>
  );
}

function Text({ address }: { address: string }) {
  const text = useSignal("");
  useEffect(() => {
    let current = true;
    void fetch(address).then(async (got) => { const read = got.ok ? await got.text() : got.statusText; if (current) text.value = read; });
    return () => { current = false; };
  }, [address]);
  return <pre class="text">{text.value}</pre>;
}

function AudioTag({ tag }: { tag: string }) {
  const { host, found, trouble } = useRecords(tag, "audio", (run, fresh) => singles(run.path, tag, fresh));
  const chosen = useChosen(found);
  return (
    <Frame tag={tag} host={host} found={found.value} trouble={trouble.value} wide>
      <div class="tiles">
        {chosen.value.map(({ run, record, wanted }) => (
          <div key={run.path}>
            <audio controls preload="metadata" src={record.address} aria-label={`${tag}, ${run.name}`} />
            <Name run={run} step={record.step} wanted={wanted} />
          </div>
        ))}
      </div>
    </Frame>
  );
}
