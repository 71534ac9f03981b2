// Reliability diagrams: how often predictions of a confidence are right, and the expected calibration error.
import { useComputed, useSignal } from "@preact/signals";
import { exact, short, tint } from "../format";
import { mark, t } from "../language";
import { dark } from "../store";
import { eceOf, readReliability } from "./counts";
import { drawReliability } from "./drawings";
import { Drawing, Frame, Name, useChosen, useContents, useRecords } from "./frame";
import { readText } from "./records";

const HEIGHT = 280;
const AXES = [mark("confidence"), mark("accuracy"), mark("probability"), mark("share of positives")];

export function CalibrationTag({ tag }: { tag: string }) {
  const { host, found, trouble, left, more } = useRecords("text", `${tag}/bins`);
  const chosen = useChosen(found);
  const { contents, trouble: lost } = useContents(useComputed(() => chosen.value.map(({ record }) => record.address)), readText);
  const pointed = useSignal<number | null>(null);
  const read = chosen.value.flatMap((one) => {
    const text = contents.value.get(one.record.address);
    const diagram = text === undefined ? null : readReliability(text);
    return diagram ? [{ ...one, diagram, color: tint(one.run.color, dark.value) }] : [];
  });
  const bins = read[0]?.diagram.bins ?? [];
  const axes = (read[0]?.diagram.axes ?? ["confidence", "accuracy"]).map((axis) => (AXES.includes(axis) ? t(axis) : axis)) as [string, string];
  const bin = pointed.value === null ? undefined : bins[pointed.value];
  return (
    <Frame tag={tag} host={host} found={found.value} trouble={trouble.value || lost.value} left={left.value} more={more}>
      <Drawing height={HEIGHT} label={tag} draw={(context, width, height) => drawReliability(context, width, height, read.map(({ diagram, color }) => ({ bins: diagram.bins, color })), pointed.value, axes, dark.value)} watch={[contents.value, chosen.value, pointed.value, dark.value]} onMove={(x, _, width) => {
        const share = (x - 38) / (width - 48);
        const place = bins.findIndex(({ to }) => share <= to);
        pointed.value = share < -0.02 || place < 0 ? null : place;
      }} onLeave={() => (pointed.value = null)} onKey={(key) => {
        const by = { ArrowLeft: -1, ArrowRight: 1 }[key];
        if (!by || !bins.length) return false;
        pointed.value = pointed.value === null ? (by > 0 ? 0 : bins.length - 1) : Math.min(Math.max(pointed.value + by, 0), bins.length - 1);
        return true;
      }} />
      <p class="note point" role="status">{bin ? t("from {low} to {high}", { low: short(bin.from), high: short(bin.to) }) : t("Point at the diagram for a bin's numbers")}</p>
      <div class="areas" tabIndex={0} role="group" aria-label={t("Runs")}>
        <table class="diff">
          <thead><tr><th>{t("Run")}</th><th title={t("expected calibration error")}>ECE</th>{bin && <><th>{t("Samples")}</th><th>{axes[0]}</th><th>{axes[1]}</th><th>{t("Gap")}</th></>}</tr></thead>
          <tbody>
            {read.map(({ run, record, wanted, diagram }) => {
              const own = pointed.value === null ? undefined : diagram.bins[pointed.value];
              return (
                <tr key={run.path}>
                  <td><Name run={run} step={record.step} wanted={wanted} /></td>
                  <td>{short(eceOf(diagram))}</td>
                  {own && <><td>{exact(own.samples)}</td><td>{own.samples ? short(own.confidence) : "–"}</td><td>{own.samples ? short(own.accuracy) : "–"}</td><td>{own.samples ? short(own.accuracy - own.confidence) : "–"}</td></>}
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
    </Frame>
  );
}
