// The server's statistics over runs, and their differences.
import { get, number } from "./api";

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
export async function importance(tag: string, mode: string, runs: readonly string[], signal: AbortSignal): Promise<Importance> {
  const found = (await (await get("importance", [["tag", tag], ["mode", mode], ...named("run", runs)], signal)).json()) as Importance;
  return { ...found, hparams: found.hparams.map((one) => ({ ...one, importance: number(one.importance) ?? NaN, p: number(one.p) ?? NaN })) };
}

/** Whether the runs of B are better than those of A. */
export async function comparison(tag: string, mode: string, a: readonly string[], b: readonly string[], signal: AbortSignal): Promise<Comparison> {
  const found = (await (await get("comparison", [["tag", tag], ["mode", mode], ...named("a", a), ...named("b", b)], signal)).json()) as Comparison;
  const { numbers } = found;
  return { ...found, numbers: numbers && { ...numbers, low: number(numbers.low) ?? NaN, high: number(numbers.high) ?? NaN } };
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
