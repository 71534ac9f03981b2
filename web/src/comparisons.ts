// The server's statistics over runs, and their differences.
import { get, number } from "./api";
import type { Selection } from "./store";

export interface Importance {
  tag: string;
  n: number;
  reason: string;
  hparams: { name: string; importance: number; p: number; values: number; together_with: string[] }[];
}

export interface Comparison {
  reason: string;
  /** the numbers and the verdict, in the page's language. */
  sentence: string;
  numbers: { mean_a: number; mean_b: number; difference: number; low: number; high: number; n_a: number; n_b: number; better: boolean | null } | null;
}

export interface Group {
  /** of the hyper-parameters; null where the runs have none. */
  values: unknown[];
  /** an expression that selects its runs; empty: there is none. */
  filter: string;
  runs: string[];
  n: number;
  mean: number | null;
  low: number | null;
  high: number | null;
  std: number | null;
  least: number | null;
  greatest: number | null;
}

export interface Groups {
  mode: string;
  reason: string;
  groups: Group[];
  /** groups that are left out. */
  more: number;
}

export interface Differences {
  runs: string[];
  hparams: { name: string; values: (string | null)[] }[];
  environment: { name: string; values: (string | null)[] }[];
  more: number;
}

export interface LinePair {
  kind: "same" | "changed" | "removed" | "added" | "skipped";
  line_a: number | null;
  text_a: string | null;
  line_b: number | null;
  text_b: string | null;
  skipped: number;
}

export interface Texts {
  source: string;
  sources: string[];
  same: boolean;
  cut: number;
  lines: LinePair[];
}

/** The importance of hyper-parameters for a metric over some runs. */
export async function importance(tag: string, mode: string, { filter, runs, without }: Selection, signal: AbortSignal): Promise<Importance> {
  const found = (await (await get("importance", [["tag", tag], ["mode", mode], ["filter", filter], ...named("run", runs), ...named("without", without)], signal)).json()) as Importance;
  return { ...found, hparams: found.hparams.map((one) => ({ ...one, importance: number(one.importance) ?? NaN, p: number(one.p) ?? NaN })) };
}

/** Whether the runs of B are better than those of A. */
export async function comparison(tag: string, mode: string, a: readonly string[], b: readonly string[], signal: AbortSignal): Promise<Comparison> {
  const found = (await (await get("comparison", [["tag", tag], ["mode", mode], ...named("a", a), ...named("b", b)], signal)).json()) as Comparison;
  const { numbers } = found;
  return { ...found, numbers: numbers && { ...numbers, low: number(numbers.low) ?? NaN, high: number(numbers.high) ?? NaN } };
}

/** Groups of runs by hyper-parameters, with statistics of the best value of each. */
export async function groups(tag: string, mode: string, names: readonly string[], runs: readonly string[], signal: AbortSignal): Promise<Groups> {
  const found = (await (await get("groups", [["tag", tag], ["mode", mode], ...named("group", names), ...named("run", runs)], signal)).json()) as Groups;
  const numbers = (one: Group): Group => ({ ...one, mean: number(one.mean), low: number(one.low), high: number(one.high), std: number(one.std), least: number(one.least), greatest: number(one.greatest) });
  return { ...found, groups: found.groups.map(numbers) };
}

export async function differences(runs: readonly string[], signal: AbortSignal): Promise<Differences> {
  return (await (await get("differences", named("run", runs), signal)).json()) as Differences;
}

export async function texts(a: string, b: string, source: string, signal: AbortSignal): Promise<Texts> {
  return (await (await get("texts", [["a", a], ["b", b], ["source", source]], signal)).json()) as Texts;
}

function named(name: string, values: readonly string[]): [string, string][] {
  return values.map((value) => [name, value]);
}
