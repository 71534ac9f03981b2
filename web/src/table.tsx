// The runs as a table: hyper-parameters that differ, and of each metric a small picture, the last and the best value.
import { useComputed, useSignal } from "@preact/signals";
import type { RunInfo } from "./api";
import { ofMost } from "./common";
import { Dot } from "./dot";
import { duration, exact, moment, setting, short, tint, utc } from "./format";
import { kindOf, statusOf } from "./words";
import { language, t } from "./language";
import { Rows } from "./rows";
import { RunLink } from "./run-link";
import { cutWithin } from "./scales";
import { FilterField } from "./sidebar";
import { Sparkline } from "./sparklines";
import { metricOf } from "./summaries";
import { answer, dark, drawnPaths, hparams, listed, tags, toggle } from "./store";
import { part, show, toggled, view } from "./view";

const columns = part("columns");
const baseline = part("baseline");
const COLUMN = "application/x-vizkit-column";
const MOST = { hparams: 8, metrics: 4 };
const LETTERS = 32; // of a title: three lines of a narrow column

/** Keys of columns, as `store.sortValue` reads them. */
function useColumns() {
  return useComputed(() => {
    if (columns.value.length) return columns.value;
    const differing = hparams.value.filter((one) => one.differs && one.common).slice(0, MOST.hparams).map((one) => `hparam:${one.name}`);
    const known = (tag: string) => answer.value?.runs.some((run) => run.metrics[tag]?.mode) ?? false;
    const ranked = ofMost(tags.value, answer.value?.runs ?? []).sort((a, b) => Number(known(b)) - Number(known(a))).slice(0, MOST.metrics);
    // What was tried and what came of it first: of a narrow page the rest is beyond the edge.
    const metrics = ranked.flatMap((tag) => [`spark:${tag}`, `last:${tag}`, ...(known(tag) ? [`best:${tag}`] : [])]);
    return narrow() ? [...metrics.filter((key) => !key.startsWith("spark:")), ...differing, "status", "started", "seconds"] : ["status", ...differing, ...metrics, "started", "seconds"];
  });
}

/** A phone: two or three columns are in view. */
function narrow(): boolean {
  return matchMedia("(max-width: 500px)").matches;
}

function title(key: string): [string, string] {
  const at = key.indexOf(":");
  if (at < 0) return [{ status: t("Status"), started: t("Started"), seconds: t("Duration") }[key] ?? t("Name"), ""];
  const kind = key.slice(0, at);
  return [key.slice(at + 1), kind === "hparam" ? "" : kind === "best_step" ? t("best step") : kind === "spark" ? t("curve") : kindOf(kind)];
}

export function Table() {
  const keys = useColumns();
  const base = useComputed(() => answer.value?.runs.find((run) => run.path === baseline.value) ?? null);
  const choosing = useSignal(false);
  // Widths in pixels: the head and each row are grids of their own.
  const widths = [72, narrow() ? 140 : 220, ...keys.value.map(widthOf)];
  const template = widths.map((one) => `${one}px`).join(" ");
  const width = widths.reduce((sum, one) => sum + one, 0);
  const lay = (element: HTMLElement | null) => { if (element) { element.style.gridTemplateColumns = template; element.style.minWidth = `${width}px`; } };
  const { sort, desc } = view.value;
  const total = answer.value?.runs.length ?? 0;
  const unread = answer.value?.unread ?? 0;
  const best = useComputed(() => leaders(keys.value));
  const by = (key: string) => show(sort === key ? { desc: !desc } : { sort: key, desc: key.startsWith("best") && modeOf(key) === "max" });
  return (
    <section class="table" role="region" aria-label={t("Table")} tabIndex={0}>
      <div class="bar">
        <FilterField />
        <span class="quiet" role="status">{listed.value.length === total ? t("{n} runs", { n: total }) : t("{found} of {total} runs", { found: listed.value.length, total })}{unread > 0 && ` · ${t("{n} runs are still being read", { n: unread })}`}</span>
        <button aria-expanded={choosing.value} onClick={() => (choosing.value = !choosing.value)}>{t("Columns")}</button>
      </div>
      {choosing.value && <Choice keys={keys.value} />}
      {answer.value && !total && <p class="empty">{t("There is no run yet. This page shows runs as soon as training writes them.")}</p>}
      {total > 0 && !listed.value.length && <p class="empty">{t("No run fits the filter.")}</p>}
      <Shared />
      <div class="sheet">
        <Rows
          rows={listed.value}
          height={36}
          label={t("Runs")}
          width={width}
          head={
            <div class="head" ref={lay}>
              <span />
              {["", ...keys.value].map((key) => {
                const [name, kind] = title(key);
                if (key.startsWith("spark:")) return <span key={key} class="title" title={`${name}: ${t("each run's curve over its own steps and values")}`} {...moving(key, keys.value)}>{cutWithin(name, LETTERS)} <small>{kind}</small></span>;
                return (
                  <button key={key} {...(key ? moving(key, keys.value) : {})} aria-label={`${t("Sort by")} ${name} ${kind}`} title={name} onClick={() => by(key)}>
                    {cutWithin(name, LETTERS)} <small>{kind}</small> {sort === key ? (desc ? "↓" : "↑") : ""}
                  </button>
                );
              })}
            </div>
          }
          render={(run) => <Row run={run} keys={keys.value} template={template} base={base.value} best={best.value} />}
        />
      </div>
    </section>
  );
}

function Row({ run, keys, template, base, best }: { run: RunInfo; keys: string[]; template: string; base: RunInfo | null; best: ReadonlyMap<string, number> }) {
  const on = drawnPaths.value.has(run.path);
  const isBase = baseline.value === run.path;
  const about = t("Use {name} as the baseline", { name: run.name });
  return (
    <div class="row" ref={(element) => { if (element) element.style.gridTemplateColumns = template; }}>
      <span class="marks">
        <button class="eye" aria-pressed={on} aria-label={(on ? t("Hide {name}", { name: run.name }) : t("Show {name}", { name: run.name }))} onClick={(event) => toggle(run.path, event.altKey)}>
          <Dot color={on ? run.color : ""} />
        </button>
        <button class="icon quiet" aria-pressed={isBase} aria-label={about} title={about} onClick={() => show({ baseline: isBase ? "" : run.path })}>{isBase ? "◆" : "◇"}</button>
      </span>
      <span class="named"><RunLink run={run} />{run.problem_count > 0 && <RunLink run={run} class="warn" title={run.problems.join("\n")}>⚠ {run.problem_count}</RunLink>}</span>
      {keys.map((key) => <Cell key={key} run={run} name={key} base={base} leads={best.get(key)} />)}
    </div>
  );
}

/** Column of best values -> the best of all; left out for a run alone. */
function leaders(keys: readonly string[]): Map<string, number> {
  const found = new Map<string, number>();
  for (const key of keys.filter((one) => one.startsWith("best:"))) {
    const values = listed.value.map((run) => metricOf(run, key.slice(5))?.best).filter((value): value is number => typeof value === "number" && !Number.isNaN(value));
    if (values.length > 1) found.set(key, values.reduce((one, other) => ((modeOf(key) === "max") === other > one ? other : one)));
  }
  return found;
}

/** Hyper-parameters that all listed runs share. */
function Shared() {
  const same = useComputed(() => {
    const [first, ...others] = listed.value;
    if (!first || !others.length) return [];
    return Object.entries(first.hparams).filter(([name, value]) => others.every((run) => name in run.hparams && setting(run.hparams[name]) === setting(value)));
  });
  if (!same.value.length) return null;
  return (
    <details class="same">
      <summary>{t("The same in all")} <small>{same.value.length}</small></summary>
      <dl>{same.value.slice(0, 200).map(([name, value]) => <div key={name}><dt><bdi>{name}</bdi></dt><dd><bdi>{setting(value)}</bdi></dd></div>)}</dl>
    </details>
  );
}

/** What makes a column's head move to where it is dropped. */
function moving(key: string, keys: string[]) {
  return {
    draggable: true,
    onDragStart: (event: DragEvent) => event.dataTransfer?.setData(COLUMN, key),
    onDragOver: (event: DragEvent) => {
      if (event.dataTransfer?.types.includes(COLUMN)) event.preventDefault();
    },
    onDrop: (event: DragEvent) => {
      const moved = event.dataTransfer?.getData(COLUMN) ?? "";
      if (keys.includes(moved)) show({ columns: movedTo(keys, moved, key) });
    },
  };
}

/** Keys with one of them at the place of another. */
export function movedTo(keys: readonly string[], key: string, place: string): string[] {
  return keys.filter((one) => one !== key).toSpliced(keys.indexOf(place), 0, key);
}

function widthOf(key: string): number {
  if (key === "started") return 190;
  if (key.startsWith("spark:")) return 132;
  return key.startsWith("last:") || key.startsWith("best:") ? 160 : 120;
}

function modeOf(key: string): "min" | "max" | null {
  const tag = key.slice(key.indexOf(":") + 1);
  for (const run of answer.value?.runs ?? []) {
    const metric = metricOf(run, tag);
    if (metric) return metric.mode;
  }
  return null;
}

function Cell({ run, name, base, leads }: { run: RunInfo; name: string; base: RunInfo | null; leads: number | undefined }) {
  if (name === "status") return <span><span class={`status ${run.status}`} /> {statusOf(run.status)}</span>;
  if (name === "started") return <span title={`${moment(run.started, language)}\n${utc(run.started)}`}>{moment(run.started, language)}</span>;
  if (name === "seconds") return <span>{duration(run.seconds)}</span>;
  const at = name.indexOf(":");
  const [kind, tag] = [name.slice(0, at), name.slice(at + 1)];
  if (kind === "hparam") return <span title={setting(run.hparams[tag])}>{setting(run.hparams[tag])}</span>;
  const metric = metricOf(run, tag);
  if (!metric) return <span class="quiet">{metric === null ? "…" : ""}</span>;
  if (kind === "spark") return <span><Sparkline tag={tag} path={run.path} length={metric.last_step} color={tint(run.color, dark.value)} about={`${tag}: ${short(metric.last)}`} /></span>;
  const value = kind === "best" ? metric.best : kind === "best_step" ? metric.best_step : metric.last;
  if (value === null) return <span />;
  const other = base && base !== run ? (kind === "best" ? metricOf(base, tag)?.best : metricOf(base, tag)?.last) : undefined;
  const change = typeof other === "number" && kind !== "best_step" ? value - other : null;
  const better = change !== null && change !== 0 && metric.mode ? (change > 0) === (metric.mode === "max") : null;
  const step = kind === "best" ? metric.best_step : metric.last_step;
  return (
    <span class="number" title={`${exact(value)} @ ${t("Step")} ${step ?? ""}`}>
      {kind === "best" && value === leads ? <b class="good" title={t("the best of these runs")}>{short(value)}</b> : short(value)}
      {change !== null && <small class={better === null ? "quiet" : better ? "good" : "bad"}> {change >= 0 ? "+" : "−"}{short(Math.abs(change))}</small>}
    </span>
  );
}

const MOST_OFFERED = 400;

function Choice({ keys }: { keys: string[] }) {
  const wanted = useSignal("");
  const all = ["status", "started", "seconds", ...hparams.value.map((one) => `hparam:${one.name}`), ...tags.value.flatMap((tag) => [`spark:${tag}`, `last:${tag}`, `best:${tag}`, `best_step:${tag}`])];
  const text = wanted.value.toLowerCase();
  const found = [...keys, ...all.filter((key) => !keys.includes(key))].filter((key) => title(key).join(" ").toLowerCase().includes(text));
  return (
    <fieldset>
      <legend>{t("Columns")}</legend>
      <input type="search" value={wanted.value} placeholder={t("Search")} aria-label={`${t("Search")}: ${t("Columns")}`} onInput={(event) => (wanted.value = event.currentTarget.value)} />
      {found.slice(0, MOST_OFFERED).map((key) => {
        const [name, kind] = title(key);
        const at = keys.indexOf(key);
        return (
          <span class="choice" key={key}>
            <label class="check"><input type="checkbox" checked={at >= 0} onChange={() => show({ columns: toggled(keys, key) })} /> {name} <small>{kind}</small></label>
            {at > 0 && <button class="icon quiet" aria-label={`← ${name} ${kind}`} onClick={() => show({ columns: keys.with(at, keys[at - 1] ?? key).with(at - 1, key) })}>←</button>}
          </span>
        );
      })}
      {found.length > MOST_OFFERED && <span class="quiet">{t("and {n} more", { n: found.length - MOST_OFFERED })}</span>}
    </fieldset>
  );
}
