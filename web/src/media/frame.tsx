// What all kinds of records share: the panel of a tag, its step, and drawings that the pointer and keys reach.
import { type ReadonlySignal, signal, type Signal, useComputed, useSignal, useSignalEffect } from "@preact/signals";
import { type ComponentChildren, createContext } from "preact";
import { useContext, useEffect, useRef } from "preact/hooks";
import type { RunInfo } from "../api";
import { useFollowed } from "../asked";
import { exact, tint } from "../format";
import { t } from "../language";
import { printing } from "../print";
import { emptied, useWidth } from "../sized";
import { freshness } from "../freshness";
import { dark, drawn } from "../store";
import { show, view } from "../view";
import { hasLayers } from "./layers";
import { contentOf, nearestStep, type Place, type Places, placesOf, readText, stepsOf } from "./records";

/** The runs whose records are shown. */
export const Scope = createContext<ReadonlySignal<RunInfo[]>>(drawn);

/** Tag -> the steps of its records, of the tags that were in view. */
export const knownSteps = signal<ReadonlyMap<string, number[]>>(new Map());

const FIRST_RUNS = 24; // of a tag; more are shown on request

export interface Shown extends Places {
  run: RunInfo;
}

export interface Chosen {
  run: RunInfo;
  record: Place;
  /** the page's step. */
  wanted: number;
}

/** An element, and whether it was in view yet. */
export function useSeen() {
  const host = useRef<HTMLElement>(null);
  const seen = useSignal(false);
  useEffect(() => {
    if (!host.current) return;
    const observer = new IntersectionObserver((entries) => { if (entries.some((entry) => entry.isIntersecting)) seen.value = true; }, { rootMargin: "200px" });
    observer.observe(host.current);
    return () => observer.disconnect();
  }, []);
  useSignalEffect(() => { if (printing.value) seen.value = true; });
  return { host, seen };
}

/** The runs of the page that have one of some tags, as many as are wanted, and a text that changes with their records. */
export function useRuns(kind: string, tags: readonly string[]) {
  const scope = useContext(Scope);
  const most = useSignal(FIRST_RUNS);
  const wanted = useFollowed(JSON.stringify(tags));
  const all = useComputed(() => {
    const having = new Set(JSON.parse(wanted.value) as string[]);
    return scope.value.filter((run) => run.kinds[kind]?.some((tag) => having.has(tag)));
  });
  const some = useComputed(() => all.value.slice(0, most.value));
  const fresh = useComputed(() => some.value.map((run) => `${run.path} ${freshness.value.get(run.path) ?? 0}`).join("\n"));
  const left = useComputed(() => all.value.length - some.value.length);
  const more = () => { most.value += FIRST_RUNS; };
  return { some, fresh, left, more };
}

/** Tell the page the steps of a panel for as long as it is there. */
export function useKnownSteps(name: string): (steps: number[]) => void {
  useEffect(() => () => {
    const rest = new Map(knownSteps.peek());
    if (rest.delete(name)) knownSteps.value = rest;
  }, [name]);
  return (steps) => { knownSteps.value = new Map(knownSteps.peek()).set(name, steps); };
}

/** The records of a tag in the runs of the page, asked for once it is in view. */
export function useRecords(kind: string, tag: string) {
  const { host, seen } = useSeen();
  const { some, fresh, left, more } = useRuns(kind, [tag]);
  const tell = useKnownSteps(`${kind} ${tag}`);
  const found = useSignal<Shown[]>([]);
  const trouble = useSignal("");
  useSignalEffect(() => {
    const version = fresh.value;
    if (!seen.value) return;
    let current = true;
    const runs = some.peek();
    placesOf(tag, runs.map((run) => run.path), version).then(
      (all) => {
        if (!current) return;
        if ([...all.values()].some(({ layers }) => layers)) hasLayers.value = true;
        found.value = runs.flatMap((run) => { const places = all.get(run.path); return places ? [{ run, ...places }] : []; });
        trouble.value = "";
        tell(stepsOf(found.value));
      },
      (error: Error) => { if (current) trouble.value = error.message; },
    );
    return () => { current = false; };
  });
  return { host, found, trouble, left, more };
}

/** Of each run the record that is nearest to the page's step, the last one without a step; `every`: all of that step. */
export function useChosen(found: ReadonlySignal<Shown[]>, every = false): ReadonlySignal<Chosen[]> {
  return useComputed(() => {
    const steps = stepsOf(found.value);
    const wanted = view.value.at ?? steps.at(-1) ?? 0;
    return found.value.flatMap(({ run, records }) => {
      const record = records[nearestStep(records, wanted)];
      if (!record) return [];
      return (every ? records.filter((one) => one.step === record.step) : [record]).map((one) => ({ run, record: one, wanted }));
    });
  });
}

/** Path of a run -> the caption of its record, where one was recorded at that step. */
export function useCaptions(tag: string, chosen: ReadonlySignal<Chosen[]>): ReadonlySignal<ReadonlyMap<string, string>> {
  const places = useSignal<ReadonlyMap<string, Places>>(new Map());
  const having = useComputed(() => chosen.value.map(({ run }) => run).filter((run) => run.kinds.text?.includes(captionOf(tag))));
  const fresh = useComputed(() => having.value.map((run) => `${run.path} ${freshness.value.get(run.path) ?? 0}`).join("\n"));
  useSignalEffect(() => {
    const version = fresh.value;
    let current = true;
    placesOf(captionOf(tag), having.peek().map((run) => run.path), version).then((found) => { if (current) places.value = found; }, () => undefined);
    return () => { current = false; };
  });
  const addresses = useComputed(() => new Map(chosen.value.flatMap(({ run, record }) => {
    const words = places.value.get(run.path)?.records.findLast((one) => one.step === record.step);
    return words ? [[run.path, words.address] as const] : [];
  })));
  const { contents } = useContents(useComputed(() => [...addresses.value.values()]), readText);
  return useComputed(() => new Map([...addresses.value].flatMap(([path, address]) => {
    const text = contents.value.get(address);
    return text === undefined ? [] : [[path, text] as const];
  })));
}

/** The tag of an image's captions. */
export function captionOf(tag: string): string {
  return `${tag}/caption`;
}

const PAUSE = 60; // milliseconds that a slider rests before contents are asked for

/** Address -> content; those that went before stay until the new ones are there. */
export function useContents<Content>(addresses: ReadonlySignal<readonly string[]>, read: (got: Response) => Promise<Content>): { contents: Signal<ReadonlyMap<string, Content>>; trouble: Signal<string> } {
  const contents = useSignal<ReadonlyMap<string, Content>>(new Map());
  const trouble = useSignal("");
  useSignalEffect(() => {
    const wanted = addresses.value;
    let current = true;
    const timer = setTimeout(() => {
      Promise.all(wanted.map(async (address) => [address, await contentOf(address, read)] as const)).then(
        (all) => { if (current) { contents.value = new Map(all); trouble.value = ""; } },
        (error: Error) => { if (current) trouble.value = error.message; },
      );
    }, contents.peek().size ? PAUSE : 0);
    return () => { clearTimeout(timer); current = false; };
  });
  return { contents, trouble };
}

/** Go to a step of some; the last one is followed as others come. */
export function goTo(steps: readonly number[], index: number): void {
  if (steps.length) show({ at: index >= steps.length - 1 ? null : (steps[Math.max(index, 0)] ?? null) });
}

/** The place of the page's step among some. */
export function placeOf(steps: readonly number[]): number {
  const { at } = view.value;
  return at === null ? steps.length - 1 : Math.max(0, nearestStep(steps.map((step) => ({ step })), at));
}

/** A slider over steps; the step is the page's, so that all tags follow. */
export function StepSlider({ steps, name }: { steps: readonly number[]; name?: string }) {
  if (steps.length < 2) return <span class="quiet">{steps.length ? `${t("Step")} ${exact(steps[0] ?? 0)}` : ""}</span>;
  const place = placeOf(steps);
  return (
    <label class="slider">
      {t("Step")}
      <input type="range" min={0} max={steps.length - 1} value={place} aria-label={name ?? t("Step")} aria-valuetext={exact(steps[place] ?? 0)} onInput={(event) => goTo(steps, Number(event.currentTarget.value))} />
      <output>{exact(steps[place] ?? 0)}</output>
    </label>
  );
}

interface FrameOptions {
  tag: string;
  host: { current: HTMLElement | null };
  found: readonly Shown[];
  trouble: string;
  left: number;
  more(): void;
  wide?: boolean;
  children: ComponentChildren;
  extra?: ComponentChildren;
}

/** The panel of a tag. */
export function Frame({ tag, host, found, trouble, left, more, wide, children, extra }: FrameOptions) {
  const thinned = found.filter(({ total, records }) => records.length < total);
  return (
    <figure class={wide ? "panel wide" : "panel"} ref={host as never} aria-label={tag}>
      <figcaption>
        <b title={tag}>{tag}</b>
        {extra}
        <StepSlider steps={stepsOf(found)} />
      </figcaption>
      {trouble && <p class="error" role="alert">{trouble}</p>}
      {children}
      {thinned[0] && <p class="note">{t("{shown} of {total} steps, at even distances", { shown: thinned[0].records.length, total: thinned[0].total })}</p>}
      {left > 0 && <button class="quiet" onClick={more}>{t("{n} more runs", { n: left })}</button>}
    </figure>
  );
}

/** The name of a run in its colour, or in another, and the step of its record where that is not the page's. */
export function Name({ run, step, wanted, color }: { run: RunInfo; step?: number; wanted?: number; color?: string }) {
  return (
    <span class="caption" title={run.name}>
      <i style={{ background: color ?? tint(run.color, dark.value) }} aria-hidden="true" />{"\u00a0"}<bdi>{run.name}</bdi>
      {wanted !== undefined && step !== undefined && step !== wanted && <small title={t("the nearest step of this run")}> {t("Step")} {exact(step)}</small>}
    </span>
  );
}

interface DrawingOptions {
  height: number;
  label: string;
  draw(context: CanvasRenderingContext2D, width: number, height: number): void;
  /** what the drawing depends on. */
  watch: unknown[];
  onMove?(x: number, y: number, width: number, height: number): void;
  onLeave?(): void;
  /** true: the key was used. */
  onKey?(key: string): boolean;
}

/** A canvas that is drawn anew when it changes its size, or what it shows. */
export function Drawing({ height, label, draw, watch, onMove, onLeave, onKey }: DrawingOptions) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const width = useWidth(canvas);
  useEffect(() => {
    const context = emptied(canvas.current, width.value, height);
    if (context) draw(context, width.value, height);
  }, [width.value, height, ...watch]);
  return (
    <canvas ref={canvas} class="drawing" role="img" aria-label={label} tabIndex={onKey ? 0 : undefined} style={{ height: `${height}px` }} onPointerMove={(event) => onMove?.(event.offsetX, event.offsetY, width.value, height)} onPointerDown={(event) => onMove?.(event.offsetX, event.offsetY, width.value, height)} onPointerLeave={(event) => { if (event.pointerType === "mouse") onLeave?.(); }} onKeyDown={(event) => {
      if (!event.ctrlKey && !event.metaKey && !event.altKey && onKey?.(event.key)) {
        event.preventDefault();
        event.stopPropagation();
      }
    }} />
  );
}
