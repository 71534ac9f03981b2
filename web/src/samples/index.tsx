// Tables of samples: filtered, sorted and grouped by the server, of one run or of two beside each other.
import { type ReadonlySignal, useComputed } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { RunInfo } from "../api";
import { useAsked, useFollowed } from "../asked";
import { exact } from "../format";
import { t } from "../language";
import { StepSlider } from "../media/frame";
import { hasLayers, LayerSwitches } from "../media/layers";
import { freshness } from "../freshness";
import { drawn } from "../store";
import { show, view } from "../view";
import { csvAddress, type Pairs, quoted, rowsOf, type RowsOf, type TablePlace, tablesOf } from "./answers";
import { ColumnGroups, hasMatrix, Matrix } from "./groups";
import { hasMap, SampleMap } from "./map";
import { SampleRows } from "./rows";
import { SampleDetails } from "./sample";
import { wordOf } from "./words";

const MOST_RUNS = 100; // whose tables are looked for

export interface SamplesOptions {
  /** within the page of a run. */
  bare?: boolean;
}

export function Samples({ bare = false }: SamplesOptions) {
  const runs = useComputed(() => drawn.value.slice(0, MOST_RUNS));
  const fresh = useComputed(() => runs.value.map((run) => `${run.path} ${freshness.value.get(run.path) ?? 0}`).join("\n"));
  const places = useAsked(useComputed(() => (runs.value.length ? JSON.stringify([runs.value.map((run) => run.path), fresh.value]) : "")), (text, signal) => tablesOf((JSON.parse(text) as [string[], string])[0], signal));
  const { answer, failure } = places.value;
  if (failure) return <p class="error" role="alert">{failure}</p>;
  if (!answer) return bare ? null : <section class="samples" aria-busy={runs.value.length > 0}>{!runs.value.length && <p class="empty">{t("No run is drawn")}</p>}</section>;
  if (!answer.tables.length) return bare ? null : <section class="samples"><p class="empty">{t("These runs have no table of samples: record evaluations, or tables with log_table")}</p></section>;
  return <Chosen bare={bare} runs={runs} fresh={fresh} tables={answer.tables} />;
}

/** The table that the address names, or else one of predictions. */
function choiceOf(tables: readonly TablePlace[]): { run: string; table: string } {
  const { of, sheet, run } = view.value;
  const names = [...new Set(tables.map(({ table }) => table))];
  const table = names.includes(sheet) ? sheet : (names.find((name) => name.endsWith("/predictions")) ?? names[0] ?? "");
  const having = tables.filter((one) => one.table === table).map((one) => one.run);
  const wanted = run || of;
  return { table, run: having.includes(wanted) ? wanted : (having[0] ?? "") };
}

function Chosen({ bare, runs, fresh, tables }: { bare: boolean; runs: ReadonlySignal<RunInfo[]>; fresh: ReadonlySignal<string>; tables: readonly TablePlace[] }) {
  const { run, table } = choiceOf(tables);
  const having = tables.filter((one) => one.table === table).map((one) => one.run);
  const names = [...new Set(tables.map((one) => one.table))];
  const query = useQuery(run, table, having);
  const { against } = view.value;
  const second = !bare && having.includes(against) && against !== run ? against : "";
  const question = useComputed(() => (query.value.length ? JSON.stringify([query.value, fresh.value]) : ""));
  const asked = useAsked(question, (text, signal) => rowsOf(queryIn(text), 0, 100, signal));
  const { answer, failure } = asked.value;
  const answered = useComputed(() => JSON.stringify(queryIn(asked.value.question)));
  const shown = useComputed(() => JSON.parse(answered.value) as [string, string][]); // what more is asked fits the columns that are there
  const shownName = (path: string) => runs.value.find((one) => one.path === path)?.name ?? path;
  const { where, by, sample } = view.value;
  const columns = answer?.columns ?? [];
  const rankOf = ({ path }: RunInfo) => (path === run ? 2 : path === second ? 1 : 0);
  const inputs = columns.flatMap(({ kind }, at) => (kind === "input" ? [at] : []));
  const layered = answer?.rows.some((row) => inputs.some((at) => String(row[at]).includes(" "))) ?? false;
  useEffect(() => { if (layered) hasLayers.value = true; }, [layered]);
  return (
    <section class={bare ? "samples part" : "samples"} aria-label={t("Samples")}>
      {bare && <h2>{t("Samples")}</h2>}
      <div class="line">
        {!bare && <label>{second ? "A" : t("Run")} <select value={run} onChange={(event) => show({ of: event.currentTarget.value, sample: "" })}>{having.map((path) => <option key={path} value={path}>{shownName(path)}</option>)}</select></label>}
        {!bare && having.length > 1 && <label>{t("compared with")} <select value={second} onChange={(event) => show({ against: event.currentTarget.value, where: "" })}><option value="">{t("no other")}</option>{having.filter((path) => path !== run).map((path) => <option key={path} value={path}>{shownName(path)}</option>)}</select></label>}
        {names.length > 1 && <label>{t("Table")} <select value={table} onChange={(event) => show({ sheet: event.currentTarget.value, where: "", order: "", by: "", sample: "" })}>{names.map((name) => <option key={name}>{name}</option>)}</select></label>}
        {names.length === 1 && <b><bdi>{table}</bdi></b>}
        {answer && <StepSlider steps={answer.steps} name={t("Step of the table")} />}
        <LayerSwitches always />
      </div>
      <div class="line">
        <label class="grow"><span class="unseen">{t("Filter samples")}</span><input type="search" value={where} spellcheck={false} placeholder={t("Filter, such as: label == 'cat' and not correct")} list="sample-columns" onInput={(event) => show({ where: event.currentTarget.value })} /></label>
        <datalist id="sample-columns">{columns.map(({ name }) => <option key={name} value={quoted(name)} />)}</datalist>
        {columns.some(({ name }) => name === "correct") && <button aria-pressed={where === "not correct"} onClick={() => show({ where: where === "not correct" ? "" : "not correct" })}>{t("Only wrong ones")}</button>}
        <label>{t("Group by")} <select value={by} onChange={(event) => show({ by: event.currentTarget.value })}><option value="">{t("nothing")}</option>{columns.filter(({ kind }) => kind !== "input").map(({ name }) => <option key={name} value={name}>{wordOf(name)}</option>)}</select></label>
        {answer && <span class="quiet" role="status">{answer.found === answer.total ? t("{n} samples", { n: exact(answer.total) }) : t("{found} of {total} samples", { found: exact(answer.found), total: exact(answer.total) })}</span>}
        <a href={csvAddress(query.value)} download="">CSV</a>
      </div>
      {failure && <p class="error" role="alert">{failure}</p>}
      {answer?.pairs && <Changes pairs={answer.pairs} />}
      {answer && hasMatrix(columns) && (
        <details open={!bare}>
          <summary>{t("Confusion")}</summary>
          <div class="matrices">
            <Matrix query={shown} prediction="prediction" name={shownName(run)} />
            {second && columns.some(({ name }) => name === "b.prediction") && <Matrix query={shown} prediction="b.prediction" name={shownName(second)} />}
          </div>
        </details>
      )}
      {answer && hasMap(columns) && <details open><summary>{t("Map")}</summary><SampleMap query={shown} /></details>}
      {answer && by && columns.some(({ name }) => name === by) && <ColumnGroups query={shown} by={by} />}
      {answer && (
        <div class="samples-parts">
          <SampleRows query={shown} first={answer as RowsOf} open={(id) => show({ sample: id })} />
          {sample && <SampleDetails table={table} columns={columns} runs={runs.value.filter((one) => having.includes(one.path)).sort((one, other) => rankOf(other) - rankOf(one))} fresh={fresh.value} close={() => show({ sample: "" })} />}
        </div>
      )}
    </section>
  );
}

/** The query in a question. */
function queryIn(question: string): [string, string][] {
  return question ? (JSON.parse(question) as [[string, string][], string])[0] : [];
}

/** What is asked of the server, from the address. */
function useQuery(run: string, table: string, having: readonly string[]): ReadonlySignal<[string, string][]> {
  const key = useFollowed(JSON.stringify([run, table, having]));
  const text = useComputed(() => {
    const { where, order, down, at, against, run: page } = view.value;
    const [path, name, others] = JSON.parse(key.value) as [string, string, string[]];
    const query: [string, string][] = [["run", path], ["table", name]];
    if (!page && against !== path && others.includes(against)) query.push(["against", against]);
    if (at !== null) query.push(["step", String(at)]);
    if (where.trim()) query.push(["where", where]);
    if (order) query.push(["order", order], ["direction", down ? "down" : "up"]);
    return JSON.stringify(query);
  });
  return useComputed(() => JSON.parse(text.value) as [string, string][]);
}

const KINDS = [["mended", "mended"], ["broken", "broken"], ["both_wrong", "both wrong"], ["both_right", "both right"]] as const;

/** What the second run changed. */
function Changes({ pairs }: { pairs: Pairs }) {
  const left = [
    ...(pairs.only_a + pairs.only_b ? [t("{a} samples are only in A, {b} only in B", { a: exact(pairs.only_a), b: exact(pairs.only_b) })] : []),
    ...(pairs.repeated ? [t("{n} rows are left out since their id comes twice", { n: exact(pairs.repeated) })] : []),
    ...(pairs.unnamed ? [t("{n} rows are left out since they have no id", { n: exact(pairs.unnamed) })] : []),
  ];
  return (
    <div class="line">
      {pairs.mended !== null && (
        <span class="choices" role="group" aria-label={t("What B changes")}>
          {KINDS.map(([key, value]) => {
            const where = `change == '${value}'`;
            return <button key={key} aria-pressed={view.value.where === where} onClick={() => show({ where: view.value.where === where ? "" : where })}>{wordOf(value)} {exact(pairs[key] ?? 0)}</button>;
          })}
        </span>
      )}
      {pairs.verdict && <span class="verdict">{pairs.verdict}</span>}
      {left.map((text) => <span key={text} class="quiet">{text}</span>)}
    </div>
  );
}
