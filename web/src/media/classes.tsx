// PR and ROC curves of classes, with the point under the pointer.
import { useComputed, useSignal, useSignalEffect } from "@preact/signals";
import type { RunInfo } from "../api";
import { useFollowed } from "../asked";
import { exact, short, tint } from "../format";
import { t } from "../language";
import { dark } from "../store";
import { show, toggled, view } from "../view";
import { drawCurves, squareAt } from "./drawings";
import { Drawing, Frame, Name, type Shown, useContents, useKnownSteps, useRuns, useSeen } from "./frame";
import { area, type ClassCurve, nearestStep, placesOf, readCurve, stepsOf } from "./records";

// Okabe and Ito's colours, which colour-blind eyes tell apart, but for their yellow and black.
const COLORS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#7f6a00", "#5d3a9b"];
const DASHES = [[], [7, 3], [2, 3], [9, 3, 2, 3], [4, 2, 1, 2], [12, 4]];
const MOST_LINES = 48;
const HEIGHT = 280;

interface Drawn {
  run: RunInfo;
  name: string;
  step: number;
  wanted: number;
  curve: ClassCurve;
  color: string;
  dash: number[];
}

/** The curves of all classes below a tag: `eval/pr/cat` and `eval/pr/dog`; or those of a single tag. */
export function CurvesOfClasses({ kind, name, tags }: { kind: string; name: string; tags: string[] }) {
  const roc = kind === "roc_curve";
  const endOf = (tag: string) => (tags.length > 1 ? tag.slice(name.length + 1) : "");
  const { host, seen } = useSeen();
  const many = useRuns(kind, tags);
  const tell = useKnownSteps(`${kind} ${name}`);
  const places = useSignal<Map<string, Shown[]>>(new Map()); // by tag
  const trouble = useSignal("");
  const joined = useFollowed(JSON.stringify(tags));
  const members = useComputed(() => JSON.parse(joined.value) as string[]);
  useSignalEffect(() => {
    const version = many.fresh.value;
    const wanted = members.value;
    if (!seen.value) return;
    let current = true;
    const runs = many.some.peek();
    Promise.all(wanted.map(async (tag) => {
      const own = runs.filter((run) => run.kinds[kind]?.includes(tag));
      const found = await placesOf(tag, own.map((run) => run.path), version);
      return [tag, own.flatMap((run) => { const one = found.get(run.path); return one ? [{ run, ...one }] : []; })] as const;
    })).then(
      (all) => {
        if (!current) return;
        places.value = new Map(all);
        trouble.value = "";
        tell(stepsOf(all.flatMap(([, shown]) => shown)));
      },
      (error: Error) => { if (current) trouble.value = error.message; },
    );
    return () => { current = false; };
  });
  // With one run all classes, with several the first that most of them have, unless some were chosen.
  const chosenTags = useComputed(() => {
    const all = members.value;
    const asked = all.filter((tag) => view.value.classes.includes(tag.slice(name.length + 1)));
    if (asked.length || all.length === 1) return asked.length ? asked : all;
    if (many.some.value.length === 1) return all;
    const having = all.map((tag) => many.some.value.filter((run) => run.kinds[kind]?.includes(tag)).length);
    const most = having.indexOf(Math.max(...having));
    return all.slice(most, most + 1);
  });
  const picked = useComputed(() => chosenTags.value.flatMap((tag) => {
    const shown = places.value.get(tag) ?? [];
    const wanted = view.value.at ?? stepsOf(shown).at(-1) ?? 0;
    return shown.flatMap(({ run, records }) => {
      const record = records[nearestStep(records, wanted)];
      return record ? [{ run, tag, record, wanted }] : [];
    });
  }).slice(0, MOST_LINES));
  const { contents, trouble: lost } = useContents(useComputed(() => picked.value.map(({ record }) => record.address)), readCurve);
  const pointed = useSignal<{ line: number; at: number } | null>(null);
  const alone = new Set(picked.value.map(({ run }) => run.path)).size === 1;
  const lines: Drawn[] = picked.value.flatMap(({ run, tag, record, wanted }) => {
    const curve = contents.value.get(record.address);
    if (!curve) return [];
    const place = tags.indexOf(tag);
    const color = alone && tags.length > 1 ? (COLORS[place % COLORS.length] ?? "") : run.color;
    const dash = alone ? (DASHES[Math.floor(place / COLORS.length) % DASHES.length] ?? []) : (DASHES[chosenTags.value.indexOf(tag) % DASHES.length] ?? []);
    return [{ run, name: endOf(tag), step: record.step, wanted, curve, color: tint(color, dark.value), dash }];
  });
  const move = (left: number, top: number, width: number, height: number) => {
    let best: { line: number; at: number } | null = null;
    let least = 40 ** 2;
    for (const [line, { curve }] of lines.entries()) {
      for (let at = 0; at < curve.x.length; at += 1) {
        const [x, y] = squareAt(curve.x[at] ?? NaN, curve.y[at] ?? NaN, width, height);
        const away = (x - left) ** 2 + (y - top) ** 2;
        if (away < least) [least, best] = [away, { line, at }];
      }
    }
    pointed.value = best;
  };
  const key = (pressed: string) => {
    const { line, at } = pointed.value ?? { line: 0, at: 0 };
    const by = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[pressed];
    if (!by || !lines.length) return false;
    const next = pointed.value ? (line + (by[0] ?? 0) + lines.length) % lines.length : 0;
    const last = (lines[next]?.curve.x.length ?? 1) - 1;
    pointed.value = { line: next, at: pointed.value ? Math.min(Math.max(at + (by[1] ?? 0), 0), last) : Math.floor(last / 2) };
    return true;
  };
  const line = pointed.value ? lines[pointed.value.line] : undefined;
  const at = pointed.value?.at ?? 0;
  const mark = line ? { x: line.curve.x[at] ?? NaN, y: line.curve.y[at] ?? NaN } : null;
  const names = roc ? [t("False positive rate"), t("True positive rate")] as const : [t("Recall"), t("Precision")] as const;
  return (
    <Frame tag={name} host={host} found={[...places.value.values()].flat()} trouble={trouble.value || lost.value} left={many.left.value} more={many.more}>
      {tags.length > 1 && (
        <div class="choices" role="group" aria-label={t("Classes")}>
          {tags.map((tag) => <button key={tag} title={endOf(tag)} aria-pressed={chosenTags.value.includes(tag)} onClick={() => show({ classes: toggled(view.value.classes.length ? view.value.classes : chosenTags.value.map(endOf), endOf(tag)) })}>{endOf(tag)}</button>)}
        </div>
      )}
      <Drawing height={HEIGHT} label={name} draw={(context, width, tall) => drawCurves(context, width, tall, lines.map(({ curve, color, dash }) => ({ x: curve.x, y: curve.y, color, dash })), mark, names, roc, dark.value)} watch={[lines.map((one) => `${one.run.path} ${one.name} ${one.step} ${one.color}`).join(), contents.value, mark?.x, mark?.y, dark.value]} onMove={move} onLeave={() => (pointed.value = null)} onKey={key} />
      <p class="note point" role="status">{line ? told(line, at, roc) : t("Point at a curve for its threshold and counts; arrows go along it")}</p>
      <div class="areas" tabIndex={0} role="group" aria-label={t("Runs")}>
        <table class="diff">
          <thead><tr><th>{t("Run")}</th>{tags.length > 1 && <th>{t("Class")}</th>}<th>{roc ? "AUC" : "AP"}</th></tr></thead>
          <tbody>
            {lines.map((one) => {
              const known = Number.isFinite(one.curve.area);
              return (
                <tr key={`${one.run.path} ${one.name}`}>
                  <td><Name run={one.run} step={one.step} wanted={one.wanted} color={one.color} /></td>
                  {tags.length > 1 && <td>{one.name}</td>}
                  <td title={known ? t("of all scores") : t("of the points drawn")}>{known ? exact(Number(one.curve.area.toPrecision(6))) : `≈ ${short(area(one.curve.x, one.curve.y))}`}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
    </Frame>
  );
}

/** The point of a curve in words. */
function told({ run, name, curve }: Drawn, at: number, roc: boolean): string {
  const [tp, fp, tn, fn] = [curve.tp[at] ?? NaN, curve.fp[at] ?? NaN, curve.tn[at] ?? NaN, curve.fn[at] ?? NaN];
  const [precision, recall] = [tp + fp ? tp / (tp + fp) : 1, tp + fn ? tp / (tp + fn) : NaN];
  return [
    run.name,
    name,
    `${t("threshold")} ${short(curve.thresholds[at] ?? NaN)}`,
    ...(roc ? [`TPR ${short(curve.y[at] ?? NaN)}`, `FPR ${short(curve.x[at] ?? NaN)}`] : []),
    `${t("Precision")} ${short(roc ? precision : (curve.y[at] ?? NaN))}`,
    `${t("Recall")} ${short(roc ? recall : (curve.x[at] ?? NaN))}`,
    `F1 ${short((2 * tp) / (2 * tp + fp + fn))}`,
    `TP ${exact(tp)} FP ${exact(fp)} TN ${exact(tn)} FN ${exact(fn)}`,
  ].filter(Boolean).join(" · ");
}
