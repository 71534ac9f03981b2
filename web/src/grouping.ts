// The groups of runs that are drawn as one curve each: their names and colours.
import { computed } from "@preact/signals";
import type { RunInfo } from "./api";
import { natural, setting } from "./format";
import { t } from "./language";
import { answer, chosen, listed } from "./store";
import { part } from "./view";

/** The ten hues of runs, as `vizkit/media/palette.py` has them: a group has one of its own. */
export const HUES = ["#5790fc", "#f89c20", "#e42536", "#964a8b", "#9c9ca1", "#7a21dd", "#9c0000", "#0cc0fc", "#6c3c54", "#c060c0"];

export interface Group {
  title: string;
  color: string;
  /** how often all hues were used before it. */
  lap: number;
  /** paths of its runs, and of those that are drawn. */
  paths: string[];
  drawn: string[];
}

const group = part("group");

function keyOf(run: RunInfo): string {
  return group.value.map((name) => `${name} = ${name in run.hparams ? setting(run.hparams[name]) : t("none")}`).join(", ");
}

/** Title -> place among the groups of all runs, that of the oldest run first: neither a filter nor a new run changes a colour. */
const places = computed(() => {
  const oldest = new Map<string, number>();
  for (const run of group.value.length ? (answer.value?.runs ?? []) : []) {
    const title = keyOf(run);
    oldest.set(title, Math.min(oldest.get(title) ?? Infinity, run.started ?? Infinity));
  }
  const age = (title: string) => oldest.get(title) ?? Infinity;
  const titles = [...oldest.keys()].sort((a, b) => (age(a) === age(b) ? natural(a, b) : age(a) < age(b) ? -1 : 1));
  return new Map(titles.map((title, place) => [title, place]));
});

/** The groups of the listed runs, in the order of their values; none if runs are not grouped. */
export const groups = computed<Group[]>(() => {
  const found = new Map<string, Group>();
  if (!group.value.length) return [];
  const on = new Set(chosen.value.map((run) => run.path));
  for (const run of listed.value) {
    const title = keyOf(run);
    const place = places.value.get(title) ?? 0;
    const known = found.get(title) ?? { title, color: HUES[place % HUES.length] ?? "", lap: Math.floor(place / HUES.length), paths: [], drawn: [] };
    known.paths.push(run.path);
    if (on.has(run.path)) known.drawn.push(run.path);
    found.set(title, known);
  }
  return [...found.values()].sort((a, b) => natural(a.title, b.title));
});

/** Path of a run -> its group. */
export const groupOf = computed(() => new Map(groups.value.flatMap((one) => one.paths.map((path) => [path, one] as const))));
