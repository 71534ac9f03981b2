// Scalar tags that the list of runs tells nothing of, since a run does not name them: asked for when one is looked at, and kept.
import { signal } from "@preact/signals";
import { type Metric, type RunInfo, summaries } from "./api";
import { freshness } from "./freshness";

const TOGETHER = 20; // milliseconds in which runs are looked at that are asked for at once
const AT_ONCE = 100; // runs of a question: addresses have a length, and others wait for the logs
const PAUSE = 2000; // milliseconds after a failure

interface Kept {
  /** null: the run has no such tag any more. */
  metric: Metric | null;
  /** of the records that it was made of. */
  fresh: number;
}

/** path of a run -> tag -> its numbers; another map with each answer. */
const kept = signal<ReadonlyMap<string, ReadonlyMap<string, Kept>>>(new Map());
const waiting = new Map<string, Set<string>>();
const known = new WeakMap<RunInfo, ReadonlySet<string>>();
let timer = 0;
let asking = false;

function has(run: RunInfo, tag: string): boolean {
  let found = known.get(run);
  if (!found) known.set(run, (found = new Set(run.scalars)));
  return found.has(tag);
}

/** The numbers of a run's scalar tag; undefined: it has none; null: they are on their way. */
export function metricOf(run: RunInfo, tag: string): Metric | null | undefined {
  const told = run.metrics[tag];
  if (told) return told;
  if (!has(run, tag)) return undefined;
  const found = kept.value.get(run.path)?.get(tag);
  const fresh = freshness.value.get(run.path) ?? 0;
  if (!found || found.fresh !== fresh) {
    const tags = waiting.get(run.path);
    if (tags) tags.add(tag);
    else waiting.set(run.path, new Set([tag]));
    timer ||= window.setTimeout(() => void ask(), TOGETHER);
  }
  return found ? (found.metric ?? undefined) : null;
}

async function ask(): Promise<void> {
  timer = 0;
  if (asking) return; // the one at work goes on with what is waiting
  asking = true;
  let pause = 0;
  while (waiting.size && !pause) {
    const paths = [...waiting.keys()].slice(0, AT_ONCE);
    const tags = new Set(paths.flatMap((path) => [...(waiting.get(path) ?? [])]));
    const fresh = freshness.peek();
    for (const path of paths) waiting.delete(path);
    try {
      const found = await summaries([...tags], paths);
      const next = new Map(kept.peek());
      for (const path of paths) {
        const own = new Map(next.get(path));
        for (const tag of tags) own.set(tag, { metric: found[path]?.[tag] ?? null, fresh: fresh.get(path) ?? 0 });
        next.set(path, own);
      }
      kept.value = next;
    } catch {
      kept.value = new Map(kept.peek()); // who still looks at them asks again
      pause = PAUSE;
    }
  }
  asking = false;
  if (waiting.size) timer ||= window.setTimeout(() => void ask(), pause);
}
