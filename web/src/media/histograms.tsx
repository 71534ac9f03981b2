// Histograms over steps, as ridgelines or as a heat map.
import { useSignal, useSignalEffect } from "@preact/signals";
import { useMemo } from "preact/hooks";
import { exact, short, tint } from "../format";
import { t } from "../language";
import { dark } from "../store";
import { show, view } from "../view";
import type { RunInfo } from "../api";
import { drawHeat, drawRidges, extent, ridges } from "./drawings";
import { Drawing, Frame, Name, useKnownSteps, useRuns, useSeen } from "./frame";
import { type Histogram, type Histograms, histogramsOf, nearestStep, quantile, stepsOf } from "./records";

interface Own extends Histograms {
  run: RunInfo;
}

export function HistogramTag({ tag }: { tag: string }) {
  const { host, seen } = useSeen();
  const { some, fresh, left, more } = useRuns("histogram", [tag]);
  const tell = useKnownSteps(`histogram ${tag}`);
  const found = useSignal<Own[]>([]);
  const trouble = useSignal("");
  useSignalEffect(() => {
    const version = fresh.value;
    if (!seen.value) return;
    let current = true;
    const versions = version.split("\n");
    Promise.all(some.peek().map(async (run, at) => ({ ...(await histogramsOf(run.path, tag, versions[at] ?? "")), run }))).then(
      (all) => {
        if (!current) return;
        found.value = all.filter(({ records }) => records.length);
        trouble.value = "";
        tell(stepsOf(found.value));
      },
      (error: Error) => { if (current) trouble.value = error.message; },
    );
    return () => { current = false; };
  });
  const { heat, robust } = view.value;
  // One range for all runs, so that they compare.
  const range = useMemo(() => {
    const all = found.value.map(({ records }) => extent(records, robust));
    return all.length ? [Math.min(...all.map(([low]) => low)), Math.max(...all.map(([, high]) => high))] as const : [0, 1] as const;
  }, [found.value, robust]);
  const extra = (
    <>
      <button class="quiet" aria-pressed={robust} onClick={() => show({ robust: !robust })}>{t("without outliers")}</button>
      <button class="quiet" onClick={() => show({ heat: !heat })}>{heat ? t("Ridgelines") : t("Heat map")}</button>
    </>
  );
  return (
    <Frame tag={tag} host={host} found={found.value.map(({ run, total, records }) => ({ run, total, kind: "histogram", layers: false, records: records.map(({ step }) => ({ step, walltime: null, layers: null, bare: "", address: "" })) }))} trouble={trouble.value} left={left.value} more={more} extra={extra}>
      {found.value.map(({ run, records }) => <HistogramsOfRun key={run.path} tag={tag} run={run} records={records} range={range} />)}
    </Frame>
  );
}

function HistogramsOfRun({ tag, run, records, range }: { tag: string; run: RunInfo; records: Histogram[]; range: readonly [number, number] }) {
  const { heat, at } = view.value;
  const height = heat ? 150 : 180;
  const pointed = useSignal<{ record: Histogram; value: number | null } | null>(null);
  const now = pointed.value?.record && records.includes(pointed.value.record) ? pointed.value.record : (records[nearestStep(records, at ?? records.at(-1)?.step ?? 0)] ?? null);
  const move = (x: number, y: number, width: number, tall: number) => {
    if (heat) {
      const record = records[Math.min(Math.max(Math.floor((x / width) * records.length), 0), records.length - 1)];
      const value = range[0] + (1 - y / (tall - 16)) * (range[1] - range[0]);
      pointed.value = record ? { record, value } : null;
    } else {
      const nearest = ridges(records, tall).reduce<{ record: Histogram; base: number } | null>((best, one) => (y <= one.base + 1 && (!best || one.base < best.base) ? one : best), null) ?? ridges(records, tall).at(-1);
      pointed.value = nearest ? { record: nearest.record, value: range[0] + (x / width) * (range[1] - range[0]) } : null;
    }
  };
  const key = (name: string) => {
    const by = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 }[name];
    const next = by === undefined || !now ? undefined : records[records.indexOf(now) + by];
    if (next) show({ at: next === records.at(-1) ? null : next.step });
    return by !== undefined;
  };
  const draw = heat ? drawHeat : drawRidges;
  return (
    <div>
      <Drawing height={height} label={`${tag}, ${run.name}`} draw={(context, width, tall) => draw(context, width, tall, records, range, tint(run.color, dark.value), dark.value, pointed.value || at !== null ? now : null)} watch={[heat, range, records, dark.value, now, pointed.value === null, at]} onMove={move} onLeave={() => (pointed.value = null)} onKey={key} />
      <Name run={run} />
      <p class="note point" role="status">{now && <Told record={now} value={pointed.value?.value ?? null} />}</p>
    </div>
  );
}

/** A histogram in words: its percentiles, and the bin at a value. */
function Told({ record, value }: { record: Histogram; value: number | null }) {
  const { edges, counts } = record;
  const total = counts.reduce((sum, count) => sum + count, 0);
  const bin = value === null ? -1 : counts.findIndex((_, at) => value >= (edges[at] ?? Infinity) && (value < (edges[at + 1] ?? -Infinity) || (at === counts.length - 1 && value === edges[at + 1])));
  const odd = [record.nan && `NaN ${record.nan}`, record.above && `+∞ ${record.above}`, record.below && `−∞ ${record.below}`].filter(Boolean).join(", ");
  const texts = [
    `${t("Step")} ${exact(record.step)}`,
    bin >= 0 ? t("{count} of {total} from {low} to {high}", { count: exact(counts[bin] ?? 0), total: exact(total), low: short(edges[bin] ?? NaN), high: short(edges[bin + 1] ?? NaN) }) : t("{total} values", { total: exact(total) }),
    t("median {median}, quarters {low} to {high}", { median: short(quantile(record, 0.5)), low: short(quantile(record, 0.25)), high: short(quantile(record, 0.75)) }),
    t("least {low}, greatest {high}", { low: short(quantile(record, 0)), high: short(quantile(record, 1)) }),
  ];
  return <>{texts.join(" · ")}{odd && <span class="warn"> · {odd}</span>}</>;
}
