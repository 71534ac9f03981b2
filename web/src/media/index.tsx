// What is recorded beside scalars: images, histograms, curves of classes, texts and sound, at one step of all runs.
import { type ReadonlySignal, useComputed, useSignal, useSignalEffect } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { RunInfo } from "../api";
import { exact } from "../format";
import { mark, t } from "../language";
import { matcher } from "../ranges";
import { answer, drawn } from "../store";
import { part, show, toggled, view } from "../view";
import { AudioTag } from "./audio";
import { CalibrationTag } from "./calibration";
import { CurvesOfClasses } from "./classes";
import { ConfusionTag } from "./confusion";
import { captionOf, goTo, knownSteps, placeOf, Scope } from "./frame";
import { HistogramTag } from "./histograms";
import { ImageTag } from "./images";
import { LayerSwitches, pressLayers } from "./layers";
import { classesOf } from "./records";
import { FoundTexts, TextTag } from "./texts";
import { Viewer } from "./viewer";

const SECTIONS: [string, string][] = [
  ["image", mark("Images")],
  ["confusion", mark("Confusion matrices")],
  ["curves", mark("PR, ROC and calibration")],
  ["histogram", mark("Histograms")],
  ["text", mark("Texts")],
  ["audio", mark("Audio")],
];
const CURVES = ["pr_curve", "roc_curve", "calibration"];
const WIDE = new Set(["image", "audio", "confusion"]);

const folded = part("folded");

export interface MediaOptions {
  /** those that are drawn, unless others are wanted. */
  runs?: ReadonlySignal<RunInfo[]>;
  /** within another page, which has settings of its own. */
  bare?: boolean;
}

/** What runs recorded beside scalars. */
export function Media({ runs = drawn, bare = false }: MediaOptions) {
  const { tags: pattern, look, find } = view.value;
  const tags = useComputed(() => tagsByKind(runs.value));
  const wanted = pattern ? matcher(pattern) : null;
  const found = SECTIONS.flatMap(([name, title]) => {
    const kinds = (name === "curves" ? CURVES : [name]).map((kind) => ({ kind, tags: (tags.value.get(kind) ?? []).filter((tag) => !wanted || wanted.test(tag)) }));
    const count = kinds.reduce((sum, one) => sum + one.tags.length, 0);
    return count ? [{ name, title, kinds, count }] : [];
  });
  useKeys();
  if (look) return <Scope.Provider value={runs}><section class="media"><Viewer key={look} tag={look} /></section></Scope.Provider>;
  return (
    <Scope.Provider value={runs}>
      <section class="media">
        <Toolbar bare={bare} shown={runs.value.length} hasTexts={tags.value.has("text")} hasImages={tags.value.has("image")} />
        {find && !bare && <FoundTexts text={find} />}
        {answer.value && !bare && !found.length && <p class="empty">{t("Nothing of this kind is recorded")}</p>}
        {found.map(({ name, title, kinds, count }) => {
          const closed = folded.value.includes(`:${name}`);
          return (
            <section key={name}>
              <h2><button aria-expanded={!closed} onClick={() => show({ folded: toggled(folded.value, `:${name}`) })}><span aria-hidden="true">{closed ? "▸" : "▾"}</span> {t(title)} <small>{count}</small></button></h2>
              {!closed && <div class={WIDE.has(name) ? "" : "grid"}>{kinds.map(({ kind, tags: members }) => <Panels key={kind} kind={kind} tags={members} />)}</div>}
            </section>
          );
        })}
        {!bare && <Elsewhere />}
      </section>
    </Scope.Provider>
  );
}

/** Kind of panel -> tags. The picture of a matrix or a diagram whose numbers are there is drawn from these. */
function tagsByKind(runs: readonly RunInfo[]): Map<string, string[]> {
  const found = new Map<string, Set<string>>();
  const put = (kind: string, tag: string) => found.set(kind, (found.get(kind) ?? new Set()).add(tag));
  for (const { kinds } of runs) {
    const texts = new Set(kinds.text);
    const drawnFrom = new Set<string>();
    for (const tag of kinds.image ?? []) {
      const [counts, bins] = [`${tag}/counts`, `${tag}/bins`];
      if (texts.has(counts)) put("confusion", tag);
      else if (texts.has(bins)) put("calibration", tag);
      else put("image", tag);
      drawnFrom.add(counts).add(bins).add(captionOf(tag));
    }
    for (const tag of texts) if (!drawnFrom.has(tag)) put("text", tag);
    for (const kind of ["pr_curve", "roc_curve", "histogram", "audio"]) for (const tag of kinds[kind] ?? []) put(kind, tag);
  }
  return new Map([...found].map(([kind, tags]) => [kind, [...tags]]));
}

function Panels({ kind, tags }: { kind: string; tags: string[] }) {
  if (kind === "pr_curve" || kind === "roc_curve") return <>{[...classesOf(tags)].map(([name, members]) => <CurvesOfClasses key={name} kind={kind} name={name} tags={members} />)}</>;
  const Panel = { image: ImageTag, confusion: ConfusionTag, calibration: CalibrationTag, histogram: HistogramTag, audio: AudioTag }[kind] ?? TextTag;
  return <>{tags.map((tag) => <Panel key={tag} tag={tag} />)}</>;
}

// -- the step of all ----------------------------------------------------------------------------------

/** The steps of all tags that were in view. */
function useAllSteps() {
  return useComputed(() => [...new Set([...knownSteps.value.values()].flat())].sort((a, b) => a - b));
}

/** Keys for the step: comma and full stop, and the arrows where nothing else takes them. */
function useKeys(): void {
  const steps = useAllSteps();
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      const target = event.target as HTMLElement;
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const typed = target.matches("select, textarea, audio, input:not([type=range], [type=checkbox])");
      if (!typed && pressLayers(event.key)) {
        event.preventDefault();
        return;
      }
      if (typed || target.matches("input")) return;
      const free = !target.closest("canvas, table, .scroll, .pane, aside, [role=slider]");
      const by = event.key === "," || (free && event.key === "ArrowLeft") ? -1 : event.key === "." || (free && event.key === "ArrowRight") ? 1 : 0;
      const to = by ? placeOf(steps.peek()) + by : free && event.key === "Home" ? 0 : free && event.key === "End" ? Infinity : null;
      if (to === null) return;
      event.preventDefault();
      goTo(steps.peek(), to);
    };
    window.addEventListener("keydown", press);
    return () => window.removeEventListener("keydown", press);
  }, []);
}

const BEAT = 500; // milliseconds of a step that is played

function AllSteps() {
  const steps = useAllSteps();
  const playing = useSignal(false);
  useSignalEffect(() => {
    if (!playing.value) return;
    const timer = setInterval(() => {
      const [all, next] = [steps.peek(), placeOf(steps.peek()) + 1];
      goTo(all, next);
      if (next >= all.length - 1) playing.value = false;
    }, BEAT);
    return () => clearInterval(timer);
  });
  const all = steps.value;
  if (all.length < 2) return null;
  const place = placeOf(all);
  const play = () => {
    if (!playing.value && place >= all.length - 1) goTo(all, 0);
    playing.value = !playing.value;
  };
  return (
    <span class="steps" role="group" aria-label={t("Step of all panels")}>
      <button class="icon" aria-label={t("Step back")} title={`${t("Step back")} ( , )`} onClick={() => goTo(all, place - 1)}>◂</button>
      <button class="icon" aria-label={playing.value ? t("Stop") : t("Play")} aria-pressed={playing.value} onClick={play}>{playing.value ? "■" : "▶"}</button>
      <button class="icon" aria-label={t("Step forward")} title={`${t("Step forward")} ( . )`} onClick={() => goTo(all, place + 1)}>▸</button>
      <label>
        {t("Step")} <input type="range" min={0} max={all.length - 1} value={place} aria-label={t("Step of all panels")} aria-valuetext={exact(all[place] ?? 0)} onInput={(event) => goTo(all, Number(event.currentTarget.value))} />
        <output>{exact(all[place] ?? 0)}</output>
      </label>
    </span>
  );
}

function Toolbar({ bare, shown, hasTexts, hasImages }: { bare: boolean; shown: number; hasTexts: boolean; hasImages: boolean }) {
  const { tags, tile, grid, find } = view.value;
  return (
    <div class={bare ? "line" : "toolbar"}>
      <AllSteps />
      {!bare && <input type="search" value={tags} aria-invalid={matcher(tags) ? undefined : true} spellcheck={false} placeholder={t("Tags (regular expression)")} aria-label={t("Select tags by a regular expression")} onInput={(event) => show({ tags: event.currentTarget.value })} />}
      {hasTexts && !bare && <input type="search" value={find} placeholder={t("Search in texts")} aria-label={t("Search in texts")} onInput={(event) => show({ find: event.currentTarget.value })} />}
      {hasImages && <label>{t("Size")} <input type="range" min={28} max={512} step={4} value={tile} onInput={(event) => show({ tile: Number(event.currentTarget.value) })} /></label>}
      {hasImages && <label class="check"><input type="checkbox" checked={grid} onChange={() => show({ grid: !grid })} /> {t("all steps")}</label>}
      {hasImages && <LayerSwitches />}
      <span class="fill" />
      {!bare && <span class="quiet">{t("{shown} of {all} drawn", { shown, all: answer.value?.runs.length ?? 0 })}</span>}
    </div>
  );
}

// -- what VisualDL's page shows -----------------------------------------------------------------------

const PAGES: [string, string, string][] = [
  ["embeddings", "high-dimensional", mark("Embeddings")],
  ["dynamic_graph", "graph/dynamic_graph", mark("Graph of the model")],
  ["static_graph", "graph/static_graph", mark("Model file")],
  ["profiler", "profiler", mark("Profiler")],
];

function Elsewhere() {
  const found = useSignal<string[]>([]);
  const root = (document.body.dataset.visualdl ?? "../app/index").replace(/\/index$/, "");
  useEffect(() => {
    let current = true;
    void fetch(`${root}/api/component_tabs`).then((got) => got.json()).then((got: { data?: string[] | null }) => { if (current) found.value = got.data ?? []; }, () => undefined);
    return () => { current = false; };
  }, [answer.value?.runs.length]);
  const pages = PAGES.filter(([name]) => found.value.includes(name));
  if (!pages.length) return null;
  return <p class="elsewhere">{t("On VisualDL's page:")} {pages.map(([name, path, title]) => <a key={name} href={`${root}/${path}`}>{t(title)}</a>)}</p>;
}
