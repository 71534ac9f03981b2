// Which runs have new records.
import { signal } from "@preact/signals";

/** path of a run -> a number that grows with its records. */
export const freshness = signal<ReadonlyMap<string, number>>(new Map());
