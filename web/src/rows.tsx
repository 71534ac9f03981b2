// A list of which only the rows in view are in the page: ten thousand scroll as ten do.
import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";

const BEYOND = 6; // rows outside of the view that are there already

interface Props<Row> {
  rows: readonly Row[];
  height: number;
  render(row: Row, at: number): ComponentChildren;
  label: string;
  /** what stays above the rows, and moves sideways with them. */
  head?: ComponentChildren;
  /** width of a row in pixels, where it may be wider than the view. */
  width?: number;
}

export function Rows<Row>({ rows, height, render, label, head, width }: Props<Row>) {
  const box = useRef<HTMLDivElement>(null);
  const from = useSignal(0);
  const count = useSignal(40);
  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const look = () => {
      from.value = Math.max(0, Math.floor(element.scrollTop / height) - BEYOND);
      count.value = Math.ceil(element.clientHeight / height) + 2 * BEYOND;
    };
    const observer = new ResizeObserver(look);
    observer.observe(element);
    element.addEventListener("scroll", look, { passive: true });
    return () => observer.disconnect();
  }, [height]);
  const first = Math.min(from.value, Math.max(0, rows.length - count.value));
  const shown = rows.slice(first, first + count.value);
  return (
    <div class="rows" ref={box} tabIndex={-1}>
      {head}
      <ul aria-label={label} ref={(element) => { if (element) { element.style.height = `${rows.length * height}px`; element.style.minWidth = width ? `${width}px` : ""; } }}>
        {shown.map((row, at) => (
          <li key={(first + at) % count.value} aria-setsize={rows.length} aria-posinset={first + at + 1} ref={(element) => { if (element) { element.style.transform = `translateY(${(first + at) * height}px)`; element.style.height = `${height}px`; } }}>
            {render(row, first + at)}
          </li>
        ))}
      </ul>
    </div>
  );
}
