// Which tags are a default for all runs.
import type { RunInfo } from "./api";

function counts(runs: readonly RunInfo[]): Map<string, number> {
  const found = new Map<string, number>();
  for (const run of runs) for (const tag of Object.keys(run.metrics)) found.set(tag, (found.get(tag) ?? 0) + 1);
  return found;
}

/** Tags, with those last that fewer than half as many runs have as the one that most have; else in their order. */
export function commonFirst(tags: readonly string[], runs: readonly RunInfo[]): string[] {
  const having = counts(runs);
  const most = Math.max(0, ...tags.map((tag) => having.get(tag) ?? 0));
  const common = (tag: string) => 2 * (having.get(tag) ?? 0) >= most;
  return [...tags.filter(common), ...tags.filter((tag) => !common(tag))];
}

/**
 * The tags that more than half as many runs have as the one that most have; those first that most have, else in their order.
 *
 * Runs that go on do not count beside ended ones: more may come.
 */
export function ofMost(tags: readonly string[], runs: readonly RunInfo[]): string[] {
  const ended = runs.filter((run) => run.status !== "running");
  const counted = counts(ended.length ? ended : runs);
  const having = (tag: string) => counted.get(tag) ?? 0;
  const most = Math.max(0, ...tags.map(having));
  return tags.filter((tag) => 2 * having(tag) > most).sort((a, b) => having(b) - having(a));
}
