// The runs, at the left: searched, sorted, grouped, shown and hidden.
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { Dot } from "./dot";
import { duration, moment, utc } from "./format";
import { editing } from "./edits";
import type { RunInfo } from "./api";
import { language, t } from "./language";
import { statusOf } from "./words";
import { Rows } from "./rows";
import { RunLink } from "./run-link";
import { answer, chosen, drawnPaths, failure, hparams, isSearch, listed, MOST_DRAWN, pointed, remarked, tags, toggle } from "./store";
import { part, show, toggled, view } from "./view";

const pinned = part("pinned");
const baseline = part("baseline");
const filter = part("filter");

export function Sidebar() {
  const all = answer.value?.runs.length ?? 0;
  const shown = chosen.value.length;
  const putAway = answer.value?.runs.filter((run) => run.archived).length ?? 0;
  const cut = !view.value.only.length && listed.value.filter((run) => !view.value.hidden.includes(run.path)).length > MOST_DRAWN;
  return (
    <aside class="runs" aria-label={t("Runs")}>
      <FilterField />
      <div class="line">
        <SortField />
        <GroupField />
      </div>
      <div class="line quiet">
        <span role="status">{t("{shown} of {all} drawn", { shown, all })}</span>
        <span class="fill" />
        <button class="quiet" onClick={() => show({ hidden: [], only: [] })}>{t("Show all")}</button>
        <button class="quiet" onClick={() => show({ hidden: (answer.value?.runs ?? []).map((run) => run.path), only: [] })}>{t("Hide all")}</button>
      </div>
      {putAway > 0 && <label class="note"><input type="checkbox" checked={view.value.archived} onChange={(event) => show({ archived: event.currentTarget.checked })} /> {t("{n} archived runs", { n: putAway })}</label>}
      {cut && <p class="note">{t("First {n} runs are drawn: hide some, filter, or choose", { n: MOST_DRAWN })}</p>}
      {answer.value && !listed.value.length && <p class="note">{(all ? t("No run matches") : t("Nothing recorded yet"))}</p>}
      {(answer.value?.unread ?? 0) > 0 && <p class="note" role="status">{t("{n} runs are still being read", { n: answer.value?.unread ?? 0 })}</p>}
      <Rows rows={listed.value} height={30} label={t("Runs")} render={(run) => <Row run={run} />} />
    </aside>
  );
}

export function FilterField() {
  const typed = useSignal(filter.peek());
  const timer = useRef(0);
  useEffect(() => filter.subscribe((text) => { if (!timer.current && text !== typed.peek().trim()) typed.value = text; }), []);
  const error = isSearch.value ? "" : failure.value;
  const names = [...tags.value, ...hparams.value.map((one) => one.name)].slice(0, 300);
  return (
    <div class="filter">
      <input
        type="search"
        list="names"
        value={typed.value}
        placeholder={t("Filter or search runs")}
        title={t("Filter, as in eval/acc > 0.9 and `batch size` == 64")}
        aria-label={t("Filter or search runs")}
        aria-invalid={error ? true : undefined}
        spellcheck={false}
        onInput={(event) => {
          typed.value = event.currentTarget.value;
          clearTimeout(timer.current);
          timer.current = window.setTimeout(() => {
            timer.current = 0;
            show({ filter: typed.value.trim() });
          }, 250);
        }}
      />
      <datalist id="names">{names.map((name) => <option key={name} value={/^[\w/.-]+$/.test(name) ? name : `\`${name}\``} />)}</datalist>
      {error && <p class="error" role="alert">{error}</p>}
    </div>
  );
}

function SortField() {
  const keys: [string, string][] = [["", t("Name")], ["started", t("Started")], ["seconds", t("Duration")], ["status", t("Status")]];
  for (const { name } of hparams.value.slice(0, 60)) keys.push([`hparam:${name}`, name]);
  for (const tag of tags.value.slice(0, 100)) keys.push([`last:${tag}`, `${tag} · ${t("last")}`], [`best:${tag}`, `${tag} · ${t("best")}`]);
  const { sort, desc } = view.value;
  return (
    <label class="pair">
      <span class="unseen">{t("Sort by")}</span>
      <select value={sort} title={t("Sort by")} onChange={(event) => show({ sort: event.currentTarget.value })}>
        {keys.map(([key, name]) => <option key={key} value={key}>{name}</option>)}
      </select>
      <button class="icon" aria-pressed={desc} title={t("Descending order")} aria-label={t("Descending order")} onClick={() => show({ desc: !desc })}>{desc ? "↓" : "↑"}</button>
    </label>
  );
}

function GroupField() {
  const { group } = view.value;
  return (
    <label class="pair">
      <span class="unseen">{t("Group by")}</span>
      <select value={group.length ? "+" : ""} title={t("Group by")} onChange={(event) => { const name = event.currentTarget.value; show({ group: name === "" ? [] : name === "+" ? group : toggled(group, name) }); }}>
        <option value="">{t("no groups")}</option>
        {group.length > 0 && <option value="+">{group.join(" × ")}</option>}
        {hparams.value.filter((one) => one.differs).map(({ name }) => <option key={name} value={name}>{group.includes(name) ? `✓ ${name}` : name}</option>)}
      </select>
    </label>
  );
}

function Row({ run }: { run: RunInfo }) {
  const isDrawn = drawnPaths.value.has(run.path);
  const isPinned = pinned.value.includes(run.path);
  const isBase = baseline.value === run.path;
  const label = (isDrawn ? t("Hide {name}", { name: run.name }) : t("Show {name}", { name: run.name }));
  const about = [run.name, statusOf(run.status), moment(run.started, language), utc(run.started), duration(run.seconds), run.labels.join(", "), run.note].filter(Boolean).join("\n");
  const point = () => (pointed.value = [run.path]);
  const leave = () => { if (pointed.value[0] === run.path) pointed.value = []; };
  return (
    <div class={isDrawn ? "run" : "run away"} onMouseEnter={point} onMouseLeave={leave} onFocusIn={point} onFocusOut={leave}>
      <button class="eye" aria-pressed={isDrawn} aria-label={label} title={`${label}\n${t("Alt: only this one")}`} onClick={(event) => toggle(run.path, event.altKey)}>
        <Dot color={isDrawn ? run.color : ""} />
      </button>
      <RunLink run={run} title={about} />
      {(editing || run.note) && <button class={run.note ? "icon quiet noted" : "icon quiet"} aria-label={t("Labels and note of {name}", { name: run.name })} title={run.note || t("Labels and note of {name}", { name: run.name })} onClick={() => (remarked.value = run.path)}>✎</button>}
      {run.labels.slice(0, 2).map((label) => <span key={label} class="label">{label}</span>)}
      {run.problems.length > 0 && <RunLink run={run} title={run.problems.join("\n")} class="warn">⚠</RunLink>}
      <span class={`status ${run.status}`} title={statusOf(run.status)} />
      <button class="icon quiet" aria-pressed={isPinned} aria-label={t("Pin {name}", { name: run.name })} title={t("Pin {name}", { name: run.name })} onClick={() => show({ pinned: toggled(pinned.value, run.path) })}>{isPinned ? "★" : "☆"}</button>
      <button class="icon quiet" aria-pressed={isBase} aria-label={t("Use {name} as the baseline", { name: run.name })} title={t("Use {name} as the baseline", { name: run.name })} onClick={() => show({ baseline: isBase ? "" : run.path })}>{isBase ? "◆" : "◇"}</button>
    </div>
  );
}
