// The runs as the server knows them, and what the view makes of them.
import { batch, computed, signal } from "@preact/signals";
import { changes, matching, Refusal, type RunInfo, type RunsAnswer, runs as askRuns } from "./api";
import { natural, setting } from "./format";
import { freshness } from "./freshness";
import { matcher } from "./ranges";
import { readBrushes, within } from "./scales";
import { metricOf } from "./summaries";
import { axis, part, show, view } from "./view";

/** Most runs that are drawn unless the reader chooses. */
export const MOST_DRAWN = 100;

export const answer = signal<RunsAnswer | null>(null);
export const connected = signal(true);
/** names of the runs that the filter selects; null without one. */
export const matched = signal<ReadonlySet<string> | null>(null);
/** the reason why the filter is none. */
export const failure = signal("");
export const dark = signal(false);
/** paths of the runs that the pointer or the focus is at in a list. */
export const pointed = signal<readonly string[]>([]);
/** path of the run whose labels and note are open; empty: none. */
export const remarked = signal("");

const filter = part("filter");
const sort = part("sort");
const desc = part("desc");
const pinned = part("pinned");
const hidden = part("hidden");
const only = part("only");
const brush = part("brush");
const archived = part("archived");

/** A filter that is no expression is a search: a text, or a regular expression, in names and hyper-parameters. */
export const isSearch = computed(() => filter.value !== "" && !/[<>=!`()]|\b(and|or|not|in)\b/.test(filter.value));

/** The runs that are listed, in their order. */
export const listed = computed<RunInfo[]>(() => {
  const known = answer.value;
  if (!known) return [];
  let found = archived.value ? known.runs : known.runs.filter((run) => !run.archived);
  if (isSearch.value) {
    const pattern = matcher(filter.value);
    const plain = filter.value.toLowerCase();
    const hit = (text: string) => (pattern ? pattern.test(text) : text.toLowerCase().includes(plain));
    found = found.filter((run) => hit(run.name) || hit(run.status) || run.labels.some(hit) || hit(run.note) || Object.entries(run.hparams).some(([name, value]) => hit(`${name}=${setting(value)}`)));
  } else if (matched.value) {
    const chosen = matched.value;
    found = found.filter((run) => chosen.has(run.path));
  }
  const key = sort.value;
  if (key) found = [...found].sort((a, b) => (desc.value ? -1 : 1) * compare(sortValue(a, key), sortValue(b, key)) || natural(a.name, b.name));
  else if (desc.value) found = [...found].reverse();
  const first = new Set(pinned.value);
  return first.size ? [...found.filter((run) => first.has(run.path)), ...found.filter((run) => !first.has(run.path))] : found;
});

/** The runs that are chosen: of many, the first ones are drawn. */
export const selected = computed<RunInfo[]>(() => {
  const brushes = readBrushes(brush.value);
  const fitting = listed.value.filter((run) => brushes.every((one) => within(one, sortValue(run, one.key))));
  const named = new Set(only.value);
  if (named.size) return fitting.filter((run) => named.has(run.path));
  const out = new Set(hidden.value);
  return fitting.filter((run) => !out.has(run.path));
});

/** The runs that are chosen to be drawn. */
export const chosen = computed<RunInfo[]>(() => (only.value.length ? selected.value : selected.value.slice(0, MOST_DRAWN)));

/** The chosen runs in few words for the server: a filter, and names of runs, or of those that it leaves out. */
export const selection = computed<Selection>(() => {
  const fits = matched.value;
  const fitting = (answer.value?.runs ?? []).filter((run) => !fits || fits.has(run.path));
  const on = new Set(selected.value.map((run) => run.path));
  const without = fitting.filter((run) => !on.has(run.path)).map((run) => run.path);
  const named = without.length > on.size;
  return { filter: fits ? filter.value : "", runs: named ? [...on].slice(0, MOST_NAMED) : [], without: named ? [] : without.slice(0, MOST_NAMED) };
});

export interface Selection {
  filter: string;
  /** of the runs that fit; empty: all of them. */
  runs: string[];
  without: string[];
}

const MOST_NAMED = 1000; // addresses have a length

export const drawnPaths = computed(() => new Set(chosen.value.map((run) => run.path)));

/** The run whose own page is shown; null: none, or there is no such run. */
export const alone = computed(() => answer.value?.runs.find((run) => run.path === view.value.run) ?? null);

/** The runs whose curves and media are shown now. */
export const drawn = computed(() => (view.value.run ? (alone.value ? [alone.value] : []) : chosen.value));

/** The part of the horizontal axis that all charts of a run's page show; null: each shows its own. */
export const runSpan = signal<[number, number] | null>(null);
export const span = computed(() => (view.value.run && axis.value === "time" ? runSpan.value : null));

/** Scalar tags of the listed runs, in the order of all runs: as recorded. Those of all, where none is listed. */
export const tags = computed(() => {
  const all = answer.value?.runs ?? [];
  const paths = new Set(listed.value.map((run) => run.path));
  const some = paths.size && paths.size < all.length ? all.filter((run) => paths.has(run.path)) : all;
  return [...new Set(some.flatMap((run) => run.scalars))];
});

/** Hyper-parameters: first those that differ, of these first the ones that most runs have: the others are no default. */
export const hparams = computed(() => {
  const values = new Map<string, Set<string>>();
  const counts = new Map<string, number>();
  for (const run of answer.value?.runs ?? []) {
    for (const [name, value] of Object.entries(run.hparams)) {
      const known = values.get(name);
      counts.set(name, (counts.get(name) ?? 0) + 1);
      if (known) known.add(setting(value));
      else values.set(name, new Set([setting(value)]));
    }
  }
  const total = answer.value?.runs.length ?? 0;
  const most = Math.max(0, ...counts.values());
  const found = [...values].map(([name, kinds]) => {
    const runs = counts.get(name) ?? 0;
    return { name, differs: kinds.size > 1 || runs < total, common: 2 * runs > most };
  });
  const rank = (one: { differs: boolean; common: boolean }) => (one.differs ? (one.common ? 0 : 1) : 2);
  return found.sort((a, b) => rank(a) - rank(b));
});

/** What a run is sorted by: a field, `hparam:NAME`, `last:TAG` or `best:TAG`. */
export function sortValue(run: RunInfo, key: string): unknown {
  const at = key.indexOf(":");
  const [kind, name] = at < 0 ? [key, ""] : [key.slice(0, at), key.slice(at + 1)];
  switch (kind) {
    case "hparam":
      return run.hparams[name];
    case "last":
      return metricOf(run, name)?.last;
    case "best":
      return metricOf(run, name)?.best ?? undefined;
    case "best_step":
      return metricOf(run, name)?.best_step ?? undefined;
    case "started":
      return run.started;
    case "seconds":
      return run.seconds;
    case "status":
      return run.status;
    default:
      return run.name;
  }
}

/** Numbers by size, then texts as people count; what is missing comes last. */
function compare(one: unknown, other: unknown): number {
  const rank = (value: unknown) => (value === undefined || value === null || Number.isNaN(value) ? 2 : typeof value === "number" ? 0 : 1);
  const by = rank(one) - rank(other);
  if (by || rank(one) === 2) return by;
  return typeof one === "number" && typeof other === "number" ? one - other : natural(String(one), String(other));
}

export function toggle(path: string, alone: boolean): void {
  const { only: chosen, hidden: out } = view.value;
  if (alone) {
    show({ only: chosen.length === 1 && chosen[0] === path ? [] : [path] });
  } else if (chosen.length) {
    show({ only: chosen.includes(path) ? chosen.filter((one) => one !== path) : [...chosen, path] });
  } else {
    show({ hidden: out.includes(path) ? out.filter((one) => one !== path) : [...out, path] });
  }
}

/** Ask for all runs, and for those that the filter selects. */
export async function load(): Promise<void> {
  try {
    const found = await askRuns();
    batch(() => {
      answer.value = found;
      connected.value = true;
    });
  } catch {
    connected.value = false;
  }
  await match();
}

/** Ask for the runs that the filter selects; a wrong filter hides nothing, and is told. */
export async function match(): Promise<void> {
  const asked = isSearch.value ? "" : filter.value;
  let [found, reason]: [ReadonlySet<string> | null, string] = [null, ""];
  if (asked) {
    try {
      found = await matching(asked);
    } catch (error) {
      if (!(error instanceof Refusal)) return;
      reason = error.message;
    }
  }
  if (asked !== (isSearch.value ? "" : filter.value)) return; // it was typed over
  batch(() => {
    matched.value = found;
    failure.value = reason;
  });
}

/** Ask again whenever another filter is chosen. */
export function followFilter(): void {
  let known = filter.peek();
  filter.subscribe((text) => {
    if (text !== known) void match();
    known = text;
  });
}

let brought = 0;
const MOST_ASKED = 200; // runs that are asked for by name: addresses have a length
const WAIT = 20; // seconds
const REST = 2; // times as long as all runs took: while many are being read, they are not asked for all the time

/** Follow the server for ever: what changes is asked for again. */
export async function follow(): Promise<never> {
  let pause = 500;
  for (;;) {
    try {
      const before = answer.value;
      if (!before) {
        await load();
        if (!answer.value) throw new Error();
        continue;
      }
      const filling = before.unread > 0;
      const news = await changes(before.cursor, filling ? 0 : WAIT);
      const start = performance.now();
      if (news.layout || filling || news.changed.length > MOST_ASKED) await load();
      else if (news.changed.length) {
        const found = await askRuns(news.changed).catch((error: unknown) => {
          if (error instanceof Refusal) return null; // one of them is gone
          throw error;
        });
        if (!found) await load();
        else {
          const grown = new Map(found.runs.map((run) => [run.path, run]));
          answer.value = { ...before, cursor: news.cursor, unread: news.unread, runs: before.runs.map((run) => grown.get(run.path) ?? run) };
          if (filter.value && !isSearch.value) await match();
        }
      } else answer.value = { ...before, cursor: news.cursor, unread: news.unread };
      batch(() => {
        connected.value = true;
        if (news.changed.length) {
          brought += 1;
          const fresh = new Map(freshness.value);
          for (const path of news.changed) fresh.set(path, brought);
          freshness.value = fresh;
        }
      });
      pause = 500;
      if (filling) await new Promise((resolve) => setTimeout(resolve, REST * (performance.now() - start)));
    } catch {
      connected.value = false;
      await new Promise((resolve) => {
        setTimeout(resolve, pause);
        window.addEventListener("online", resolve, { once: true });
      });
      pause = Math.min(pause * 2, 8000);
    }
  }
}
