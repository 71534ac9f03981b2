// Rows of a table of any length: those in view are asked for, a page at a time.
import { type ReadonlySignal, useSignal, useSignalEffect } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { exact, short } from "../format";
import { t } from "../language";
import { show, view } from "../view";
import { type Cell, type Column, imageOf, type Inputs, type RowsOf, rowsOf, textOf } from "./answers";
import { SamplePicture } from "./picture";
import { wordOf } from "./words";

const PAGE = 100;
const MOST_PAGES = 60; // in memory
const TALLEST = 12e6; // pixels of a list; browsers draw nothing beyond some 17 million
const BEYOND = 6; // rows outside of the view that are there already

/** The rows of a query, page by page. */
function usePages(query: ReadonlySignal<[string, string][]>, first: RowsOf) {
  const pages = useSignal<ReadonlyMap<number, RowsOf>>(new Map());
  const waiting = useRef(new Set<number>());
  const current = useRef(first);
  useEffect(() => {
    current.current = first;
    waiting.current = new Set();
    pages.value = new Map([[0, first]]);
  }, [first]);
  const need = (page: number) => {
    if (pages.peek().has(page) || waiting.current.has(page)) return;
    const asked = current.current;
    waiting.current.add(page);
    const timer = waiting.current;
    rowsOf(query.peek(), page * PAGE, PAGE).then(
      (found) => {
        timer.delete(page);
        if (current.current !== asked || found.found !== asked.found) return;
        pages.value = new Map([...pages.peek()].slice(-MOST_PAGES)).set(page, found);
      },
      () => timer.delete(page),
    );
  };
  return { pages, need };
}

interface Options {
  query: ReadonlySignal<[string, string][]>;
  first: RowsOf;
  open(id: string): void;
}

export function widthOf({ kind, name }: Column): number {
  if (kind === "input") return 76;
  if (kind === "bool") return 90;
  if (kind === "whole" || kind === "number") return Math.max(104, Math.min(9 * name.length + 30, 160));
  return 150;
}

export function SampleRows({ query, first, open }: Options) {
  const { pages, need } = usePages(query, first);
  const box = useRef<HTMLDivElement>(null);
  const frame = useSignal({ from: 0, count: 30, top: 0 });
  const { columns, found } = first;
  const idAt = columns.findIndex(({ name }) => name === "id");
  const order = inOrder(columns);
  const height = columns.some(({ kind }) => kind === "input") ? 64 : 32;
  const total = found * height;
  const tall = Math.min(total, TALLEST);
  const widths = [...(idAt < 0 ? [80] : []), ...order.map(({ column }) => widthOf(column))];
  const width = widths.reduce((sum, one) => sum + one, 0);
  const template = widths.map((one) => `minmax(${one}px, ${one}fr)`).join(" ");
  const look = () => {
    const element = box.current;
    if (!element) return;
    const visible = Math.max(element.clientHeight - HEAD, height);
    const room = Math.max(tall - visible, 1);
    const position = tall === total ? element.scrollTop : Math.min(element.scrollTop / room, 1) * (total - visible);
    const from = Math.max(0, Math.floor(position / height) - BEYOND);
    frame.value = { from, count: Math.ceil(visible / height) + 2 * BEYOND, top: element.scrollTop - position };
  };
  useEffect(() => {
    const element = box.current;
    if (!element) return;
    look();
    const observer = new ResizeObserver(look);
    observer.observe(element);
    element.addEventListener("scroll", look, { passive: true });
    return () => { observer.disconnect(); element.removeEventListener("scroll", look); };
  }, [found, height]);
  useEffect(() => { if (box.current) box.current.scrollTop = 0; }, [query.value]);
  useSignalEffect(() => {
    const { from, count } = frame.value;
    for (let page = Math.floor(from / PAGE); page * PAGE < Math.min(from + count, found); page += 1) need(page);
    void pages.value;
  });
  const { from, count, top } = frame.value;
  const places = Array.from({ length: Math.max(0, Math.min(count, found - from)) }, (_, at) => from + at);
  const { order: sorted, down, sample } = view.value;
  const by = (name: string) => show(sorted === name ? (down ? { order: "", down: false } : { down: true }) : { order: name, down: false });
  return (
    <div class="samples-rows" ref={box} role="table" aria-label={t("Samples")} aria-rowcount={found + 1} tabIndex={0}>
      <div class="samples-head" role="row" aria-rowindex={1} style={{ gridTemplateColumns: template, minWidth: `${width}px` }}>
        {idAt < 0 && <span role="columnheader">{t("Row")}</span>}
        {order.map(({ column: { name, kind } }) => (
          <span key={name} role="columnheader" class={kind === "whole" || kind === "number" ? "number" : ""} aria-sort={sorted === name ? (down ? "descending" : "ascending") : undefined} title={name}>
            {kind === "input" ? <bdi>{wordOf(name)}</bdi> : <button onClick={() => by(name)}><bdi>{wordOf(name)}</bdi> {sorted === name ? (down ? "↓" : "↑") : ""}</button>}
          </span>
        ))}
      </div>
      <div class="samples-body" style={{ height: `${tall}px`, minWidth: `${width}px` }} role="rowgroup">
        {places.map((at) => {
          const page = pages.value.get(Math.floor(at / PAGE));
          const row = page?.rows[at % PAGE];
          const id = row && page ? String(idAt < 0 ? page.places[at % PAGE] : row[idAt]) : "";
          return (
            <div key={at} role="row" aria-rowindex={at + 2} class={id && id === sample ? "samples-row chosen" : "samples-row"} style={{ gridTemplateColumns: template, height: `${height}px`, transform: `translateY(${top + at * height}px)` }} onClick={() => { if (id) open(id); }}>
              {idAt < 0 && <span role="cell"><Opener id={id} open={open} /></span>}
              {order.map(({ column, at: place }) => (
                <span key={column.name} role="cell" class={column.kind === "whole" || column.kind === "number" ? "number" : ""}>
                  {place === idAt ? <Opener id={id} open={open} /> : row && page ? <Value column={column} cell={row[place] ?? null} inputs={page} /> : "…"}
                </span>
              ))}
            </div>
          );
        })}
      </div>
    </div>
  );
}

const HEAD = 34; // pixels

/** Columns as they are shown: the id, images and texts, and those of a second run beside the first's. */
function inOrder(columns: readonly Column[]): { column: Column; at: number }[] {
  const shown = columns.map((column, at) => ({ column, at }));
  const rank = ({ column: { name, kind } }: { column: Column }) => (name === "id" ? 0 : kind === "input" ? 1 : 2);
  const beside = (name: string) => (name.startsWith("b.") ? columns.findIndex((one) => one.name === name.slice(2)) + 0.5 : columns.findIndex((one) => one.name === name));
  return shown.sort((one, other) => rank(one) - rank(other) || beside(one.column.name) - beside(other.column.name) || one.at - other.at);
}

function Opener({ id, open }: { id: string; open(id: string): void }) {
  return id ? <button class="quiet" title={t("Open this sample")} onClick={(event) => { event.stopPropagation(); open(id); }}><bdi>{id}</bdi></button> : <>…</>;
}

/** A cell of a row. */
export function Value({ column, cell, inputs, side = 56 }: { column: Column; cell: Cell; inputs: Inputs; side?: number }): ComponentChildren {
  if (cell === null) return <span class="none" aria-label={t("none")}>–</span>;
  if (column.kind === "input") {
    const image = imageOf(inputs, cell, 2 * side);
    if (image) return <SamplePicture image={image} width={side} height={side} label={column.name} />;
    const text = textOf(inputs, cell);
    return text === undefined ? <span class="none" title={t("It is not there any more")}>?</span> : <span title={text}>{text.slice(0, 200)}</span>;
  }
  if (typeof cell === "boolean") return cell ? <span class="right">✓<span class="unseen">{t("yes")}</span></span> : <span class="wrong">✗<span class="unseen">{t("no")}</span></span>;
  if (typeof cell === "number") return <span title={exact(cell)}>{column.kind === "whole" ? exact(cell) : short(cell)}</span>;
  return <bdi title={cell}>{column.name === "change" ? wordOf(cell) : cell}</bdi>;
}
