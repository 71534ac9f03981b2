// Which tags are a default for all runs.
import type { RunInfo } from "./api";

/** Tags, with those last that fewer than half as many runs have as the one that most have; else in their order. */
export function commonFirst(tags: readonly string[], runs: readonly RunInfo[]): string[] {
  const counts = new Map<string, number>();
  for (const run of runs) for (const tag of Object.keys(run.metrics)) counts.set(tag, (counts.get(tag) ?? 0) + 1);
  const most = Math.max(0, ...tags.map((tag) => counts.get(tag) ?? 0));
  const common = (tag: string) => 2 * (counts.get(tag) ?? 0) >= most;
  return [...tags.filter(common), ...tags.filter((tag) => !common(tag))];
}
