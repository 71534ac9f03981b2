// Confusion matrices: counts and rates, and what is taken for what.
import { useComputed, useSignal } from "@preact/signals";
import { useMemo, useRef } from "preact/hooks";
import type { RunInfo } from "../api";
import { exact, short } from "../format";
import { mark, t } from "../language";
import { dark } from "../store";
import { useWidth } from "../sized";
import { show, type View, view } from "../view";
import { cellOf, type Confusion, mistakesOf, readConfusion, sumsOf } from "./counts";
import { type Chosen, Drawing, Frame, Name, useChosen, useContents, useRecords } from "./frame";
import { readText } from "./records";

const RATES: [View["rates"], string][] = [["counts", mark("Counts")], ["true", mark("Share of the true class")], ["predicted", mark("Share of the predicted class")]];
const MOST_CELLS = 25; // classes whose matrix is a table; larger ones are drawn
const MOST_MISTAKES = 50;

export function ConfusionTag({ tag }: { tag: string }) {
  const { host, found, trouble, left, more } = useRecords("text", `${tag}/counts`);
  const chosen = useChosen(found);
  const { contents, trouble: lost } = useContents(useComputed(() => chosen.value.map(({ record }) => record.address)), readText);
  const { rates } = view.value;
  const extra = (
    <span class="choices" role="group" aria-label={t("What cells show")}>
      {RATES.map(([value, title]) => <button key={value} aria-pressed={rates === value} onClick={() => show({ rates: value })}>{t(title)}</button>)}
    </span>
  );
  return (
    <Frame tag={tag} host={host} found={found.value} trouble={trouble.value || lost.value} left={left.value} more={more} wide extra={extra}>
      <div class="matrices">
        {chosen.value.map((one) => {
          const text = contents.value.get(one.record.address);
          return text === undefined ? null : <Matrix key={one.run.path} one={one} text={text} />;
        })}
      </div>
    </Frame>
  );
}

function Matrix({ one, text }: { one: Chosen; text: string }) {
  const pointed = useSignal<[number, number] | null>(null);
  const confusion = useMemo(() => readConfusion(text), [text]);
  if (!confusion) return <div><Name run={one.run} /><pre class="text">{text.slice(0, 2000)}</pre></div>;
  const sums = sumsOf(confusion);
  const mistakes = mistakesOf(confusion, MOST_MISTAKES);
  return (
    <div class="matrix" role="group" aria-label={one.run.name}>
      <p><Name run={one.run} step={one.record.step} wanted={one.wanted} /> <small>· {t("{right} of {total} right, {share}", { right: exact(sums.right), total: exact(sums.total), share: percent(sums.right / sums.total) })}</small></p>
      <div class="matrix-parts">
        <Cells confusion={confusion} sums={sums} run={one.run} pointed={pointed.value} point={(cell) => (pointed.value = cell)} />
        <div class="mistakes" tabIndex={0} role="group" aria-label={t("What is taken for what")}>
          {mistakes.length > 0 && <table class="diff">
            <caption>{t("What is taken for what")}</caption>
            <thead><tr><th>{t("True")}</th><th>{t("Predicted")}</th><th>{t("Samples")}</th><th>{t("of the class")}</th></tr></thead>
            <tbody>
              {mistakes.map(({ row, column, count, share }) => (
                <tr key={`${row} ${column}`} class={pointed.value?.[0] === row && pointed.value[1] === column ? "pointed" : ""} onPointerEnter={() => (pointed.value = [row, column])}>
                  <td title={confusion.names[row]}>{confusion.names[row]}</td><td title={confusion.names[column]}>{confusion.names[column]}</td><td>{exact(count)}</td><td>{percent(share)}</td>
                </tr>
              ))}
            </tbody>
          </table>}
          {!mistakes.length && <p class="note">{t("Nothing is confused")}</p>}
        </div>
      </div>
      <p class="note point" role="status">{pointed.value ? told(confusion, sums, ...pointed.value) : t("Point at a cell; arrows go from cell to cell")}</p>
    </div>
  );
}

type Sums = ReturnType<typeof sumsOf>;

interface CellsOptions {
  confusion: Confusion;
  sums: Sums;
  run: RunInfo;
  pointed: [number, number] | null;
  point(cell: [number, number] | null): void;
}

function Cells({ confusion, sums, run, pointed, point }: CellsOptions) {
  const { names } = confusion;
  const { rates } = view.value;
  const count = names.length;
  const host = useRef<HTMLDivElement>(null);
  const room = useWidth(host, 520);
  const key = (pressed: string) => {
    const by = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[pressed];
    if (!by) return false;
    const [row, column] = pointed ?? [0, -1];
    point([Math.min(Math.max(row + (by[0] ?? 0), 0), count - 1), Math.min(Math.max(column + (by[1] ?? 0), 0), count - 1)]);
    return true;
  };
  // A cell's colour is its share of the true class, but for shares of the predicted one.
  const depth = (row: number, column: number) => cellOf(confusion, sums, row, column, rates === "predicted" ? "predicted" : "true");
  if (count > MOST_CELLS) {
    const most = Math.min(520, Math.max(300, count * 4));
    const side = Math.min(most, room.value);
    return (
      <div class="matrix-drawn" ref={host} style={{ width: `${most}px` }}>
        <Drawing height={side} label={`${run.name}, ${count} × ${count}`} draw={(context, width, height) => {
          const cell = Math.min(width, height) / count;
          const whole = document.createElement("canvas");
          [whole.width, whole.height] = [count, count];
          whole.getContext("2d")?.putImageData(new ImageData(pixelsOf(confusion, depth) as never, count, count), 0, 0);
          context.imageSmoothingEnabled = cell < 1;
          context.drawImage(whole, 0, 0, count * cell, count * cell);
          if (pointed) {
            context.strokeStyle = dark.value ? "#fff" : "#000";
            context.lineWidth = 1.5;
            context.strokeRect(pointed[1] * cell, pointed[0] * cell, Math.max(cell, 3), Math.max(cell, 3));
          }
        }} watch={[confusion, rates, dark.value, pointed?.[0], pointed?.[1]]} onMove={(x, y, width, height) => {
          const cell = Math.min(width, height) / count;
          const [row, column] = [Math.floor(y / cell), Math.floor(x / cell)];
          point(row >= 0 && row < count && column >= 0 && column < count ? [row, column] : null);
        }} onLeave={() => point(null)} onKey={key} />
        <p class="note">{t("rows: true classes, columns: predicted ones")}</p>
      </div>
    );
  }
  return (
    <div class="scroll">
      <table class="cells" tabIndex={0} aria-label={t("Confusion matrix of {run}", { run: run.name })} onPointerLeave={() => point(null)} onKeyDown={(event) => {
        if (!event.ctrlKey && !event.metaKey && !event.altKey && key(event.key)) { event.preventDefault(); event.stopPropagation(); }
      }}>
        <thead>
          <tr><th class="corner">{t("true ╲ predicted")}</th>{names.map((name, at) => <th key={at} scope="col" title={name} class={pointed?.[1] === at ? "pointed" : ""}><span>{name}</span></th>)}</tr>
        </thead>
        <tbody>
          {confusion.counts.map((row, at) => (
            <tr key={at}>
              <th scope="row" title={names[at]} class={pointed?.[0] === at ? "pointed" : ""}><span>{names[at]}</span></th>
              {row.map((_, column) => {
                const value = cellOf(confusion, sums, at, column, rates);
                const deep = depth(at, column);
                return <td key={column} class={pointed?.[0] === at && pointed[1] === column ? "pointed" : ""} style={{ background: shade(deep, at === column), color: deep > 0.5 ? "#fff" : "" }} onPointerEnter={() => point([at, column])} onPointerDown={() => point([at, column])}>{rates === "counts" ? exact(value) : percent(value)}</td>;
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** Blue on the diagonal, orange beside it, deeper the larger the share; grey without samples: red, green, blue, opacity. */
function inkOf(share: number, right: boolean): [number, number, number, number] {
  if (!Number.isFinite(share)) return [136, 136, 136, 85];
  const deep = Math.round(255 * Math.sqrt(share));
  return right ? [31, 95, 174, deep] : [179, 82, 11, deep];
}

function shade(share: number, right: boolean): string {
  const [red, green, blue, opacity] = inkOf(share, right);
  return `rgb(${red} ${green} ${blue} / ${(opacity / 255).toFixed(3)})`;
}

/** A pixel a cell. */
function pixelsOf({ counts }: Confusion, depth: (row: number, column: number) => number): Uint8ClampedArray {
  const side = counts.length;
  const data = new Uint8ClampedArray(4 * side * side);
  for (let row = 0; row < side; row += 1) {
    for (let column = 0; column < side; column += 1) data.set(inkOf(depth(row, column), row === column), 4 * (row * side + column));
  }
  return data;
}

function percent(share: number): string {
  return Number.isFinite(share) ? `${exact(Number((100 * share).toPrecision(3)))} %` : "–";
}

function told(confusion: Confusion, sums: Sums, row: number, column: number): string {
  const [one, other] = [confusion.names[row] ?? "", confusion.names[column] ?? ""];
  return [
    t("true {one}, predicted {other}: {count}", { one, other, count: exact(confusion.counts[row]?.[column] ?? 0) }),
    t("{share} of the true {one}", { share: percent(cellOf(confusion, sums, row, column, "true")), one }),
    t("{share} of the predicted {other}", { share: percent(cellOf(confusion, sums, row, column, "predicted")), other }),
    ...(row === column ? [`F1 ${short((2 * (confusion.counts[row]?.[row] ?? 0)) / ((sums.rows[row] ?? 0) + (sums.columns[row] ?? 0)))}`] : []),
  ].join(" · ");
}
