// One sample: its image or text, and what each run made of it at each step.
import { useEffect, useRef } from "preact/hooks";
import type { RunInfo } from "../api";
import { useAsked, useFollowed } from "../asked";
import { exact } from "../format";
import { t } from "../language";
import { Name } from "../media/frame";
import { Legend } from "../media/layers";
import { nearestStep } from "../media/records";
import { useWidth } from "../sized";
import { view } from "../view";
import { type Cell, type Column, imageOf, type SampleOf, sampleOf, textOf } from "./answers";
import { SamplePicture } from "./picture";
import { Value } from "./rows";
import { wordOf } from "./words";

const MOST_RUNS = 20;
const MOST_PICTURES = 8;
const SMALL = 190; // pixels of pictures beside each other

type Row = SampleOf["rows"][number];

interface Shown {
  column: Column;
  row: Row;
  cell: Cell;
  /** the only picture of its column. */
  alone: boolean;
}

/** What is shown of a column: the last input alone, or that of each run with its own layers, at the page's step. */
function picturesOf(column: Column, answer: SampleOf): Shown[] {
  const having = answer.rows.filter(({ cells }) => (cells[column.name] ?? null) !== null);
  const there = having.filter(({ cells }) => imageOf(answer, cells[column.name] ?? null, 0) || textOf(answer, cells[column.name] ?? null) !== undefined);
  const layered = there.filter(({ cells }) => String(cells[column.name]).includes(" "));
  const chosen = [...new Set(layered.map(({ run }) => run))].slice(0, MOST_PICTURES).flatMap((run) => {
    const own = layered.filter((row) => row.run === run);
    const { at } = view.value;
    return own[at === null ? own.length - 1 : nearestStep(own, at)] ?? [];
  });
  const some = chosen.length ? chosen : (there.length ? there : having).slice(-1);
  return some.map((row) => ({ column, row, cell: row.cells[column.name] ?? null, alone: some.length === 1 }));
}

export function SampleDetails({ table, columns, runs, fresh, close }: { table: string; columns: readonly Column[]; runs: readonly RunInfo[]; fresh: string; close(): void }) {
  const host = useRef<HTMLElement>(null);
  const id = view.value.sample;
  const question = useFollowed(JSON.stringify([table, id, runs.slice(0, MOST_RUNS).map((run) => run.path), fresh]));
  const { answer, failure } = useAsked(question, (asked, signal) => {
    const [name, wanted, paths] = JSON.parse(asked) as [string, string, string[]];
    return sampleOf(name, wanted, paths, signal);
  }).value;
  useEffect(() => host.current?.focus({ preventScroll: true }), [id]);
  const own = columns.filter(({ name }) => !name.startsWith("b.") && name !== "change" && name !== "id");
  const rows = answer?.rows ?? [];
  const last = rows.at(-1);
  const shown = own.filter(({ kind }) => kind === "input").flatMap((column) => (answer ? picturesOf(column, answer) : []));
  const width = useWidth(host, 400);
  const varying = own.filter(({ name, kind }) => kind !== "input" && (rows.length < 2 || rows.some(({ cells }) => cells[name] !== rows[0]?.cells[name]) || ["prediction", "correct"].includes(name)));
  const constant = own.filter(({ kind, name }) => kind !== "input" && !varying.some((one) => one.name === name));
  return (
    <aside ref={host} class="sample" tabIndex={-1} aria-label={t("Sample {id}", { id })} onKeyDown={(event) => { if (event.key === "Escape") { event.stopPropagation(); close(); } }}>
      <p class="line"><b>{t("Sample {id}", { id })}</b><span class="fill" /><button class="icon" aria-label={t("Close")} title={t("Close")} onClick={close}>✕</button></p>
      {failure && <p class="error" role="alert">{failure}</p>}
      {answer && !rows.length && <p class="note">{t("No table of these runs has this sample")}</p>}
      {answer && (
        <div class="line">
          {shown.map(({ column, row, cell, alone }) => {
            const image = imageOf(answer, cell, 0);
            const words = textOf(answer, cell);
            const known = runs.find(({ path }) => path === row.run);
            const side = Math.floor(alone ? Math.min(256, width.value - 26) : Math.min(SMALL, (width.value - 38) / 2));
            if (!image) return words === undefined ? <p key={`${column.name} ${row.run}`} class="note">{t("{name}: it is not there any more", { name: wordOf(column.name) })}</p> : <pre key={`${column.name} ${row.run}`} class="text">{words}</pre>;
            return (
              <figure key={`${column.name} ${row.run}`}>
                <a href={image.address} target="_blank" rel="noreferrer"><SamplePicture image={image} width={side} height={side} label={`${column.name}, ${t("Sample {id}", { id })}`} /></a>
                {!alone && <figcaption>{known ? <Name run={known} step={row.step} /> : row.run}</figcaption>}
                {image.layers && <Legend record={image} always />}
              </figure>
            );
          })}
        </div>
      )}
      {last && constant.length > 0 && answer && <dl>{constant.map((column) => <div key={column.name}><dt>{wordOf(column.name)}</dt><dd><Value column={column} cell={last.cells[column.name] ?? null} inputs={answer} /></dd></div>)}</dl>}
      {answer && rows.length > 0 && (
        <div class="scroll" tabIndex={0} role="region" aria-label={t("Over steps and runs")}>
          <table class="diff numbers">
            <thead><tr><th scope="col">{t("Run")}</th><th scope="col">{t("Step")}</th>{varying.map(({ name }) => <th key={name} scope="col">{wordOf(name)}</th>)}</tr></thead>
            <tbody>
              {rows.map(({ run, step, cells }) => {
                const known = runs.find(({ path }) => path === run);
                return <tr key={`${run} ${step}`}><th scope="row">{known ? <Name run={known} /> : run}</th><td>{exact(step)}</td>{varying.map((column) => <td key={column.name}><Value column={column} cell={cells[column.name] ?? null} inputs={answer} /></td>)}</tr>;
              })}
            </tbody>
          </table>
        </div>
      )}
      {answer && !answer.complete && <p class="note">{t("Not all steps were looked at")}</p>}
    </aside>
  );
}
