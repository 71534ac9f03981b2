// The page of one run: its charts, training and machine on one time axis, its media, and all that is known of it.
import { useComputed, useSignal, useSignalEffect } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { details as askDetails, type Numbers, Refusal, type RunDetails, type RunInfo } from "./api";
import { Dot } from "./dot";
import { editing } from "./edits";
import { Facts, Part } from "./facts";
import { Files, Output, outputs } from "./files";
import { duration, exact, moment, short, utc } from "./format";
import { language, t } from "./language";
import { Lazy } from "./lazy";
import { Markdown } from "./markdown";
import type { MediaOptions } from "./media";
import { Panel } from "./panel";
import { Messages } from "./problems";
import { matcher, sections } from "./ranges";
import type { SamplesOptions } from "./samples";
import { freshness } from "./freshness";
import { alone, answer, remarked, runSpan } from "./store";
import { Toolbar } from "./toolbar";
import { openRun, part, show, toggled, view } from "./view";
import { statusOf } from "./words";

const PAUSE = 1000; // milliseconds between two questions while the run goes on
const REST = 5000; // milliseconds after which it is looked at without a new record: it may have printed something
const MOST_ROWS = 100;
const SHOWN = new Set(["scalar", "scalars", "image", "histogram", "pr_curve", "roc_curve", "text", "audio", "hparams", "meta_data"]);

const media = () => import("./media").then((part) => part.Media);
const samples = () => import("./samples").then((part) => part.Samples);
const folded = part("folded");
const pattern = part("tags");

export function RunPage() {
  const run = alone.value;
  if (run) return <OneRun key={run.path} run={run} />;
  if (!answer.value || answer.value.unread) return <p class="empty" role="status">{t("Reading the runs")}</p>;
  return (
    <section class="one">
      <p class="error" role="alert">{t("There is no run {name}", { name: view.value.run })}</p>
      <button onClick={() => openRun("")}>{t("Back to all runs")}</button>
    </section>
  );
}

/** What is known of a run, asked for again when it has new records. */
function useDetails(path: string) {
  const found = useSignal<RunDetails | null>(null);
  const trouble = useSignal("");
  const looks = useSignal(0);
  const key = useComputed(() => `${freshness.value.get(path) ?? 0} ${alone.value?.status} ${looks.value}`);
  useSignalEffect(() => {
    void key.value;
    const abort = new AbortController();
    const wait = Math.max(0, last + PAUSE - performance.now());
    let again: ReturnType<typeof setTimeout> | undefined;
    const timer = setTimeout(() => {
      last = performance.now();
      void askDetails(path, abort.signal)
        .then((known) => { found.value = known; trouble.value = ""; })
        .catch((error: unknown) => { if (!abort.signal.aborted) trouble.value = error instanceof Refusal ? error.message : ""; })
        .then(() => { if (!abort.signal.aborted && alone.peek()?.status === "running") again = setTimeout(() => (looks.value += 1), REST); });
    }, found.peek() ? wait : 0);
    return () => { clearTimeout(timer); clearTimeout(again); abort.abort(); };
  });
  return { found, trouble };
}

let last = 0;

function OneRun({ run }: { run: RunInfo }) {
  const { found, trouble } = useDetails(run.path);
  const details = found.value;
  const until = details?.last_second ?? null;
  useEffect(() => {
    runSpan.value = until === null || until <= 0 ? null : [0, until];
    return () => { runSpan.value = null; };
  }, [until]);
  if (view.value.full) {
    return (
      <section class="charts">
        <Toolbar />
        <Panel key={view.value.full} text={view.value.full} own={view.value.panels.includes(view.value.full)} full />
      </section>
    );
  }
  return (
    <section class="one" aria-label={run.name}>
      <Head run={run} details={details} />
      {trouble.value && <p class="error" role="alert">{trouble.value}</p>}
      <Jumps run={run} details={details} />
      <div class="halves">
        <div class="half">
          <RunCharts run={run} />
          {Object.keys(run.kinds).some((kind) => SHOWN.has(kind) && !["scalar", "scalars", "hparams"].includes(kind)) && <Lazy<MediaOptions> load={media} options={{ bare: true }} />}
          {details && <Output run={run.path} details={details} />}
        </div>
        <div class="half">
          {details && <Facts run={run} details={details} />}
        </div>
      </div>
      {run.kinds.text?.length ? <Lazy<SamplesOptions> load={samples} options={{ bare: true }} /> : null}
      {details && <Scalars details={details} />}
      <Others run={run} />
      {details && <Files run={run.path} details={details} />}
    </section>
  );
}

function Head({ run, details }: { run: RunInfo; details: RunDetails | null }) {
  const error = details?.sessions.at(-1)?.error;
  const problems = details?.problems ?? run.problems;
  return (
    <>
      <div class="title">
        <h1><Dot color={run.color} /> <bdi>{run.name}</bdi> {run.name !== run.path && <small><bdi>{run.path}</bdi></small>}</h1>
        <button onClick={() => openRun("")}>{t("Back to all runs")}</button>
      </div>
      <p class="about">
        <span><span class={`status ${run.status}`} /> {statusOf(run.status)}</span>
        {run.started !== null && <span title={utc(run.started)}>{t("Started")} {moment(run.started, language)}</span>}
        {details && details.ended !== null && <span title={utc(details.ended)}>{t("Ended")} {moment(details.ended, language)}</span>}
        {run.seconds !== null && <span>{t("Duration")} {duration(run.seconds)}</span>}
        {run.labels.map((label) => <span key={label} class="label"><bdi>{label}</bdi></span>)}
        {run.archived && <span class="label">{t("archived")}</span>}
        {editing && <button class="icon" aria-label={t("Labels and note")} title={t("Labels and note")} onClick={() => (remarked.value = run.path)}>✎</button>}
      </p>
      {error && <pre class="text bad" role="alert">{error}</pre>}
      {run.note && <section class="note-of-run" aria-label={t("Note")}><Markdown text={run.note} /></section>}
      {problems.length > 0 && (
        <section class="problems" aria-label={t("Problems")}>
          <h2>{t("Problems")} <small>{run.problem_count}</small></h2>
          <Messages messages={problems} count={Math.max(run.problem_count, problems.length)} />
        </section>
      )}
    </>
  );
}

/** Buttons that lead to the parts of the page. */
function Jumps({ run, details }: { run: RunInfo; details: RunDetails | null }) {
  if (!details) return null;
  const names = [
    ...(outputs(details).length ? [t("Console output")] : []),
    t("Hyper-parameters"),
    t("Environment"),
    ...(details.sessions.length > 1 ? [t("Sessions")] : []),
    ...(run.scalars.length ? [t("Scalars")] : []),
    t("Files"),
  ];
  const go = (name: string) => [...document.querySelectorAll(".one .part")].find((element) => element.getAttribute("aria-label") === name)?.scrollIntoView({ block: "start" });
  return <nav class="jumps" aria-label={t("Parts of this page")}>{names.map((name) => <button key={name} onClick={() => go(name)}>{name}</button>)}</nav>;
}

/** The charts one below the other: their cursor and their axis are the same. */
function RunCharts({ run }: { run: RunInfo }) {
  const wanted = pattern.value ? matcher(pattern.value) : null;
  const found = sections(wanted ? run.scalars.filter((tag) => wanted.test(tag)) : run.scalars);
  return (
    <section class="charts">
      <Toolbar />
      {!run.scalars.length && <p class="empty">{t("No scalars were recorded.")}</p>}
      {view.value.panels.map((text) => <Panel key={text} text={text} own full={false} />)}
      {found.map(({ name, tags }) => {
        const closed = folded.value.includes(name || "/");
        return (
          <section key={name}>
            <h2>
              <button aria-expanded={!closed} onClick={() => show({ folded: toggled(folded.value, name || "/") })}>
                <span aria-hidden="true">{closed ? "▸" : "▾"}</span> {name || t("general")} <small>{tags.length}</small>
              </button>
            </h2>
            {!closed && tags.map((tag) => <Panel key={tag} text={tag} own={false} full={false} />)}
          </section>
        );
      })}
    </section>
  );
}

function Scalars({ details }: { details: RunDetails }) {
  const all = useSignal(false);
  const every = Object.entries(details.scalars);
  const rows = all.value ? every : every.slice(0, MOST_ROWS);
  if (!every.length) return null;
  const replaced = Object.keys(details.superseded).length > 0;
  const cell = (value: number | null, step?: number | null) => <td title={value === null ? undefined : `${exact(value)}${step === undefined || step === null ? "" : ` @ ${t("Step")} ${exact(step)}`}`}>{value === null ? "" : short(value)}</td>;
  const best = (one: Numbers) => (one.best === null ? "" : `${short(one.best)} @ ${exact(one.best_step ?? NaN)}`);
  return (
    <Part name={t("Scalars")} count={every.length}>
      <div class="scroll" tabIndex={0}>
        <table class="diff numbers">
          <thead><tr><th scope="col">{t("Tag")}</th>{[t("last"), t("best"), t("Smallest"), t("Largest"), t("Mean"), t("Records"), "NaN", ...(replaced ? [t("Superseded")] : [])].map((name) => <th key={name} scope="col">{name}</th>)}</tr></thead>
          <tbody>
            {rows.map(([tag, one]) => (
              <tr key={tag}>
                <th scope="row" title={tag}><bdi>{tag}</bdi></th>
                {cell(one.last, one.last_step)}
                <td title={one.best === null ? undefined : exact(one.best)}>{best(one)}</td>
                {cell(one.least, one.least_step)}
                {cell(one.greatest, one.greatest_step)}
                {cell(one.mean)}
                <td>{one.n}</td>
                <td>{one.nan || ""}</td>
                {replaced && <td>{details.superseded[tag] ?? ""}</td>}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {rows.length < every.length && <button onClick={() => (all.value = true)}>{t("Show all")}</button>}
    </Part>
  );
}

/** Records that VisualDL's page shows. */
function Others({ run }: { run: RunInfo }) {
  const kinds = Object.entries(run.kinds).filter(([kind, tags]) => !SHOWN.has(kind) && tags.length);
  if (!kinds.length) return null;
  return (
    <Part name={t("Other records")}>
      <dl>{kinds.map(([kind, tags]) => <div key={kind}><dt><a href={pageOf(kind)} title={t("VisualDL's page")}>{kind}</a></dt><dd>{tags.slice(0, 200).map((tag) => <bdi key={tag} class="label">{tag}</bdi>)}</dd></div>)}</dl>
    </Part>
  );
}

function pageOf(kind: string): string {
  const index = document.body.dataset.visualdl ?? "../app/index";
  return kind === "embeddings" ? index.replace(/index$/, "high-dimensional") : index;
}
