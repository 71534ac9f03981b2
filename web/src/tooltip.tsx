// What a chart says of the place that the pointer or the keys are at: the values of all curves there.
import { useLayoutEffect, useRef } from "preact/hooks";
import type { Hover, Near } from "./chart/chart";
import { duration, exact, moment, short, utc } from "./format";
import { language, t } from "./language";

const MOST_NAMED = 24; // rows

/** `x` is the axis: step, epoch, time, relative, walltime, or a tag. */
export function Tooltip({ at, x }: { at: Hover; x: string }) {
  const closest = at.near.reduce<Near | null>((a, b) => (a && a.away <= b.away ? a : b), null);
  const middle = closest ? at.near.indexOf(closest) : 0;
  const most = window.innerWidth < 800 ? 10 : MOST_NAMED;
  const from = Math.max(0, Math.min(middle - most / 2, at.near.length - most));
  const rows = at.near.slice(from, from + most);
  const place = closest?.x ?? at.place;
  const head = headOf(x, place);
  const box = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    // Beside the pointer, on the side that has room, within the window.
    const element = box.current;
    const over = element?.parentElement?.querySelector<HTMLElement>(".u-over")?.getBoundingClientRect();
    if (!element || !over) return;
    const [pointer, room] = [over.left + at.left, document.documentElement.clientWidth - 6];
    const beyond = pointer + 14 + element.offsetWidth > room;
    const left = Math.max(6, beyond ? pointer - 14 - element.offsetWidth : pointer + 14);
    const top = Math.max(6, Math.min(over.top, document.documentElement.clientHeight - 6 - element.offsetHeight));
    const frame = element.offsetParent?.getBoundingClientRect(); // in a notebook, whose cells may hold what is fixed
    element.style.transform = `translate(${Math.round(left - (frame?.left ?? 0))}px, ${Math.round(top - (frame?.top ?? 0))}px)`; // which lays nothing out anew
  });
  return (
    <div class="tooltip" ref={box}>
      <p title={x === "walltime" ? utc(place) : undefined}>{head}</p>
      <table>
        <tbody>
          {rows.map((row, number) => (
            <tr key={number} class={row === closest ? "closest" : ""}>
              <td><i ref={(element) => { if (element) element.style.background = row.line.color; }} /></td>
              <th scope="row">{row.line.name}</th>
              <td>{exact(row.y)}</td>
              {row.smooth !== null && <td class="quiet" title={t("smoothed")}>{short(row.smooth)}</td>}
              {row.count !== null && <td class="quiet">n = {row.count}</td>}
              {row.x !== place && <td class="quiet">@ {x === "time" || x === "relative" || x === "walltime" ? duration(row.x - (x === "walltime" ? place : 0)) : exact(row.x)}</td>}
            </tr>
          ))}
        </tbody>
      </table>
      {at.near.length > rows.length && <p class="quiet">{t("and {n} more", { n: at.near.length - rows.length })}</p>}
    </div>
  );
}

function headOf(x: string, place: number): string {
  return x === "time" || x === "relative" ? duration(place) : x === "walltime" ? moment(place, language, true) : x === "step" || x === "epoch" ? `${x === "step" ? t("Step") : t("Epoch")} ${exact(place)}` : `${x} ${exact(place)}`;
}

const MOST_SPOKEN = 5;

/** The same for screen readers: the place, and the highest curves there. */
export function spoken(at: Hover, x: string): string {
  const named = at.near.slice(0, MOST_SPOKEN).map((row) => `${row.line.name} ${short(row.y)}`);
  return `${headOf(x, at.near[0]?.x ?? at.place)}: ${named.join(", ")}`;
}
