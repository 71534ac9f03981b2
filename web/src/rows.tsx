// A list of which only the rows in view are in the page: ten thousand scroll as ten do.
import { signal, useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";

const BEYOND = 6; // rows outside of the view that are there already
const REST = 120; // milliseconds without a scroll after which a list is at rest

/** A list is being scrolled: what costs more than a text waits. */
export const scrolling = signal(false);

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
  const list = useRef<HTMLUListElement>(null);
  const from = useSignal(0);
  const count = useSignal(40);
  useEffect(() => {
    const element = box.current;
    if (!element) return;
    let timer = 0;
    const rest = () => {
      timer = 0;
      scrolling.value = false;
      if (list.current) inOrder(list.current);
    };
    const look = () => {
      from.value = Math.max(0, Math.floor(element.scrollTop / height) - BEYOND);
      // What sticks is a layer of its own in each row: only where something moves below it.
      element.classList.toggle("aside", element.scrollLeft > 0);
    };
    const scroll = () => {
      look();
      scrolling.value = true;
      clearTimeout(timer);
      timer = window.setTimeout(rest, REST);
    };
    const observer = new ResizeObserver(() => {
      count.value = Math.ceil(element.clientHeight / height) + 2 * BEYOND;
      look();
    });
    observer.observe(element);
    element.addEventListener("scroll", scroll, { passive: true });
    return () => {
      observer.disconnect();
      element.removeEventListener("scroll", scroll);
      if (timer) rest();
    };
  }, [height]);
  const first = Math.min(from.value, Math.max(0, rows.length - count.value));
  // Each element keeps its place in the page and takes a row that comes into view: to move elements costs a layout of each.
  const shown = Array.from({ length: Math.min(count.value, rows.length) }, (_, slot) => rowOf(slot, first, count.value)).filter((at) => at < rows.length);
  useEffect(() => {
    if (list.current && !scrolling.peek()) inOrder(list.current);
  }, [shown.length]);
  return (
    <div class="rows" ref={box} tabIndex={-1}>
      {head}
      <ul aria-label={label} ref={(element) => { list.current = element; if (element) { element.style.height = `${rows.length * height}px`; element.style.minWidth = width ? `${width}px` : ""; } }}>
        {shown.map((at) => (
          <li key={at % count.value} aria-setsize={rows.length} aria-posinset={at + 1} ref={(element) => { if (element) { element.style.transform = `translateY(${at * height}px)`; element.style.height = `${height}px`; } }}>
            {render(rows[at] as Row, at)}
          </li>
        ))}
      </ul>
    </div>
  );
}

/** The row of an element: the one of those in view that it had before, or the one that came in its place. */
export function rowOf(slot: number, first: number, count: number): number {
  return first + ((((slot - first) % count) + count) % count);
}

/** Put the rows into the order in which they are read and focused: they are a rotation of it. */
function inOrder(list: HTMLUListElement): void {
  const rows = [...list.children];
  const places = rows.map((row) => Number(row.getAttribute("aria-posinset")));
  const first = places.indexOf(Math.min(...places));
  if (first <= 0) return;
  const [ahead, behind] = [rows.slice(0, first), rows.slice(first)];
  // What is moved loses the focus.
  const focused = (part: Element[]) => part.some((row) => row.contains(document.activeElement));
  if (focused(ahead) || (behind.length < ahead.length && !focused(behind))) list.prepend(...behind);
  else list.append(...ahead);
}
