// The sides of a comparison: one run, or the runs with a value of a hyper-parameter.
import type { RunInfo } from "./api";
import { natural, setting } from "./format";

export interface Side {
  /** names it in the address. */
  key: string;
  title: string;
  runs: string[];
}

const MOST_VALUES = 12; // of a hyper-parameter that makes groups

/** The groups that hyper-parameters make: each has two runs or more. */
export function groupsOf(runs: readonly RunInfo[], hparams: readonly string[]): Side[] {
  return hparams.flatMap((name) => {
    const found = new Map<string, string[]>();
    for (const run of runs) {
      if (!(name in run.hparams)) continue;
      const value = setting(run.hparams[name]);
      found.set(value, [...(found.get(value) ?? []), run.path]);
    }
    if (found.size < 2 || found.size > MOST_VALUES) return [];
    const groups = [...found].filter(([, paths]) => paths.length > 1).sort(([one], [other]) => natural(one, other));
    return groups.map(([value, paths]) => ({ key: JSON.stringify([name, value]), title: `${name} = ${value}`, runs: paths }));
  });
}

export function singlesOf(runs: readonly RunInfo[]): Side[] {
  return runs.map((run) => ({ key: JSON.stringify([run.path]), title: run.name, runs: [run.path] }));
}

/** The sides that are compared: those chosen; else two groups of one hyper-parameter, or the first two runs. */
export function chosenSides(groups: readonly Side[], singles: readonly Side[], a: string, b: string): [Side | undefined, Side | undefined] {
  const every = [...groups, ...singles];
  const find = (key: string) => every.find((side) => side.key === key);
  const [one, other] = [find(a), find(b)];
  if (one && other) return [one, other];
  const name = (side: Side) => (JSON.parse(side.key) as string[])[0];
  const first = groups.find((side) => groups.some((more) => more !== side && name(more) === name(side)));
  const family = first ? groups.filter((side) => name(side) === name(first)) : singles;
  return [one ?? family.find((side) => side !== other), other ?? family.find((side) => side !== (one ?? family[0]))];
}
