// What differs between the drawn runs: hyper-parameters, environment, metrics, and any two texts line by line.
import { useComputed } from "@preact/signals";
import type { RunInfo } from "./api";
import { useAsked } from "./asked";
import { Dot } from "./dot";
import { exact, short } from "./format";
import { t } from "./language";
import { freshness } from "./freshness";
import { drawn, tags } from "./store";
import { differences, type LinePair, texts } from "./comparisons";
import { metricOf } from "./summaries";
import { show, view } from "./view";

const MOST_COMPARED = 12;
const MOST_METRICS = 12;

/** The runs of a question whose answer their records may change. */
function freshnessOf(paths: readonly string[]): number[] {
  return paths.map((path) => freshness.value.get(path) ?? 0);
}

export function Difference() {
  const runs = useComputed(() => drawn.value.slice(0, MOST_COMPARED));
  const question = useComputed(() => {
    const paths = runs.value.map((run) => run.path);
    return paths.length ? JSON.stringify([paths, runs.value.map((run) => [run.hparams, run.status])]) : "";
  });
  const asked = useAsked(question, (text, signal) => differences((JSON.parse(text) as [string[]])[0], signal));
  const { answer, failure } = asked.value;
  const metrics = tags.value.filter((tag) => runs.value.some((run) => run.metrics[tag]?.mode)).slice(0, MOST_METRICS);
  const known = new Map(runs.value.map((run) => [run.path, run]));
  const shown = (answer?.runs ?? []).map((path) => known.get(path)).filter((run): run is RunInfo => run !== undefined);
  const columns = (values: readonly (string | null)[]) => values.filter((_, at) => known.has(answer?.runs[at] ?? ""));
  const rows = (title: string, found: readonly { name: string; values: (string | null)[] }[]) => found.length > 0 && (
    <tbody>
      <tr class="part"><th colSpan={shown.length + 1} scope="rowgroup">{title}</th></tr>
      {found.map(({ name, values }) => <tr key={name}><th scope="row" title={name}>{name}</th>{columns(values).map((value, at) => <td key={shown[at]?.path} title={value ?? ""}>{value}</td>)}</tr>)}
    </tbody>
  );
  return (
    <figure class="panel wide" aria-label={t("What differs")}>
      <figcaption><b>{t("What differs")}</b></figcaption>
      {failure && <p class="error" role="alert">{failure}</p>}
      {shown.length > 1 && answer && !answer.hparams.length && !answer.environment.length && <p class="note">{t("Neither hyper-parameters nor environment differ.")}</p>}
      <div class="scroll" tabIndex={0} role="region" aria-label={t("What differs")}>
        <table class="diff">
          <thead><tr><td />{shown.map((run) => <th key={run.path} scope="col"><Dot color={run.color} /> {run.name}</th>)}</tr></thead>
          {rows(t("Hyper-parameters"), answer?.hparams ?? [])}
          {rows(t("Environment"), answer?.environment ?? [])}
          {metrics.length > 0 && shown.length > 0 && (
            <tbody>
              <tr class="part"><th colSpan={shown.length + 1} scope="rowgroup">{t("Best values")}</th></tr>
              {metrics.map((tag) => <Metric key={tag} tag={tag} runs={shown} />)}
            </tbody>
          )}
        </table>
      </div>
      {(answer?.more ?? 0) > 0 && <p class="note">{t("and {n} more", { n: answer?.more ?? 0 })}</p>}
      {drawn.value.length > MOST_COMPARED && <p class="note">{t("The first {n} of {all} drawn runs.", { n: MOST_COMPARED, all: drawn.value.length })}</p>}
    </figure>
  );
}

function Metric({ tag, runs }: { tag: string; runs: readonly RunInfo[] }) {
  const values = runs.map((run) => metricOf(run, tag)?.best ?? null);
  const mode = runs.map((run) => metricOf(run, tag)?.mode).find(Boolean);
  const present = values.filter((value): value is number => value !== null && !Number.isNaN(value));
  const top = mode === "max" ? Math.max(...present) : Math.min(...present);
  return <tr><th scope="row" title={tag}>{tag}</th>{values.map((value, at) => <td key={runs[at]?.path} class={value === top && present.length > 1 ? "good" : ""} title={value === null ? "" : exact(value)}>{value === null ? "" : short(value)}</td>)}</tr>;
}

function sourceOf(source: string): string {
  const words: Record<string, string> = { configuration: t("Hyper-parameters"), command: t("Command"), packages: t("Packages"), environment: t("Environment"), code: t("Changes of the code since the commit"), console: t("Console output") };
  return words[source] ?? source.slice(source.indexOf(":") + 1);
}

export function Texts() {
  const pair = useComputed(() => {
    const find = (path: string) => drawn.value.find((run) => run.path === path);
    const left = find(view.value.left) ?? drawn.value.find((run) => run.path !== view.value.right);
    return [left, find(view.value.right) ?? drawn.value.find((run) => run !== left)] as const;
  });
  const question = useComputed(() => {
    const [left, right] = pair.value;
    if (!left || !right) return "";
    return JSON.stringify([left.path, right.path, view.value.text, freshnessOf([left.path, right.path])]);
  });
  const asked = useAsked(question, (text, signal) => {
    const [a, b, source] = JSON.parse(text) as [string, string, string];
    return texts(a, b, source, signal);
  });
  const [left, right] = pair.value;
  const { answer, failure } = asked.value;
  if (!left || !right) return null;
  const choose = (label: string, chosen: RunInfo, set: (path: string) => void) => (
    <label>{label} <select value={chosen.path} onChange={(event) => set(event.currentTarget.value)}>{drawn.value.map((run) => <option key={run.path} value={run.path}>{run.name}</option>)}</select></label>
  );
  const sources = [...new Set([...(answer?.sources ?? []), view.value.text])];
  return (
    <figure class="panel wide" aria-label={t("Side by side")}>
      <figcaption>
        <b>{t("Side by side")}</b>
        <label>{t("Text")} <select value={view.value.text} onChange={(event) => show({ text: event.currentTarget.value })}>{sources.map((source) => <option key={source} value={source}>{sourceOf(source)}</option>)}</select></label>
        {choose(t("Left"), left, (path) => show({ left: path, right: right.path }))}
        {choose(t("Right"), right, (path) => show({ left: left.path, right: path }))}
      </figcaption>
      {failure && <p class="error" role="alert">{failure}</p>}
      {answer?.same && <p class="note" role="status">{t("Both are the same.")}</p>}
      {(answer?.cut ?? 0) > 0 && <p class="note">{t("Long texts: {n} lines were not compared.", { n: answer?.cut ?? 0 })}</p>}
      {answer && answer.lines.length > 0 && (
        <div class="scroll beside" tabIndex={0} role="region" aria-label={t("Side by side")}>
          <table>
            <colgroup><col class="at" /><col /><col class="at" /><col /></colgroup>
            <thead><tr><th colSpan={2} scope="col">{left.name}</th><th colSpan={2} scope="col">{right.name}</th></tr></thead>
            <tbody>{answer.lines.map((line, at) => <Line key={at} line={line} />)}</tbody>
          </table>
        </div>
      )}
    </figure>
  );
}

function Line({ line }: { line: LinePair }) {
  if (line.kind === "skipped") return <tr class="skipped"><td colSpan={4}>{t("{n} lines are the same", { n: line.skipped })}</td></tr>;
  const [a, b] = line.kind === "changed" ? marked(line.text_a ?? "", line.text_b ?? "") : [line.text_a, line.text_b];
  const sign = (own: string) => (line.kind === "changed" || line.kind === own ? own : "");
  return (
    <tr class={line.kind}>
      <td class="at">{line.line_a}</td>
      <td class={sign("removed")}>{a}</td>
      <td class="at">{line.line_b}</td>
      <td class={sign("added")}>{b}</td>
    </tr>
  );
}

/** Two lines, each with the part that differs marked. */
function marked(a: string, b: string) {
  let from = 0;
  while (from < Math.min(a.length, b.length) && a[from] === b[from]) from += 1;
  let back = 0;
  while (back < Math.min(a.length, b.length) - from && a.at(-1 - back) === b.at(-1 - back)) back += 1;
  const parts = (text: string) => <>{text.slice(0, from)}<mark>{text.slice(from, text.length - back)}</mark>{text.slice(text.length - back)}</>;
  return [parts(a), parts(b)] as const;
}
