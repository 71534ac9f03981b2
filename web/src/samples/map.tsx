// Samples on a plane, such as embeddings: a point each in the colour of its label, with its image where there is room.
import { type ReadonlySignal, useComputed, useSignal } from "@preact/signals";
import { useEffect, useMemo, useRef } from "preact/hooks";
import { useAsked } from "../asked";
import { exact, tint } from "../format";
import { t } from "../language";
import { Drawing } from "../media/frame";
import { useWidth } from "../sized";
import { dark } from "../store";
import { show, view } from "../view";
import { type Column, imageOf, type PointsOf, pointsOf } from "./answers";

const HEIGHT = 420;
const EDGE = 24; // pixels around the points
const SIDE = 28; // of an image
const ROOM = 31; // of an image and the space around it
const NEAR = 16; // pixels from a point that is meant
const MOST_NAMES = 30;

export function hasMap(columns: readonly Column[]): boolean {
  const numbers = new Set(columns.filter(({ kind }) => kind === "number" || kind === "whole").map(({ name }) => name));
  return numbers.has("x") && numbers.has("y");
}

export function SampleMap({ query }: { query: ReadonlySignal<[string, string][]> }) {
  const question = useComputed(() => JSON.stringify(query.value.filter(([name]) => !["order", "direction"].includes(name))));
  const { answer, failure } = useAsked(question, (text, signal) => pointsOf(JSON.parse(text) as [string, string][], signal)).value;
  if (failure) return <p class="error" role="alert">{failure}</p>;
  return answer ? <Points points={answer} /> : null;
}

function Points({ points }: { points: PointsOf }) {
  const host = useRef<HTMLDivElement>(null);
  const width = useWidth(host, 600).value;
  const pictured = useSignal(true);
  const pointed = useSignal<number | null>(null);
  const loaded = useSignal(0);
  const places = useMemo(() => placesOf(points, width), [points, width]);
  const shown = useMemo(() => roomy(points, places), [points, places]);
  const images = useMemo(() => new Map(shown.flatMap((at) => {
    const found = imageOf({ images: points.images, texts: {} }, points.inputs[at] ?? null, 2 * SIDE);
    return found ? [[at, found.address] as const] : [];
  })), [points, shown]);
  const pictures = usePictures(images, pictured.value, loaded);
  const chosen = points.ids.findIndex((id) => String(id) === view.value.sample);
  const at = pointed.value;
  const over = at === null ? null : imageOf({ images: points.images, texts: {} }, points.inputs[at] ?? null, 192);
  const colorOf = (place: number) => tint(points.colors[points.groups[place] ?? 0] ?? "#5790fc", dark.value);
  const nameOf = (place: number) => { const name = points.names[points.groups[place] ?? 0]; return name === undefined || name === null ? "" : String(name); };
  const order = useMemo(() => places.map((_, place) => place).sort((a, b) => (places[a]?.[0] ?? 0) - (places[b]?.[0] ?? 0)), [places]);
  const draw = (context: CanvasRenderingContext2D) => {
    for (const [place, [x, y]] of places.entries()) {
      context.fillStyle = colorOf(place);
      context.globalAlpha = 0.8;
      context.beginPath();
      context.arc(x, y, 3, 0, 2 * Math.PI);
      context.fill();
    }
    context.globalAlpha = 1;
    context.imageSmoothingEnabled = false;
    context.lineWidth = 2;
    for (const [place, picture] of pictures) {
      const [x, y] = places[place] ?? [0, 0];
      const scale = SIDE / Math.max(picture.naturalWidth, picture.naturalHeight, 1);
      const [wide, tall] = [picture.naturalWidth * scale, picture.naturalHeight * scale];
      context.drawImage(picture, x - wide / 2, y - tall / 2, wide, tall);
      context.strokeStyle = colorOf(place);
      context.strokeRect(x - wide / 2, y - tall / 2, wide, tall);
    }
    for (const place of [chosen, at ?? -1]) {
      const found = places[place];
      if (!found) continue;
      context.strokeStyle = dark.value ? "#e4e7eb" : "#1c2024";
      context.beginPath();
      context.arc(found[0], found[1], place === chosen ? 9 : 7, 0, 2 * Math.PI);
      context.stroke();
    }
  };
  const open = () => { if (at !== null) show({ sample: String(points.ids[at]) }); };
  const key = (name: string) => {
    const by = name === "ArrowRight" ? 1 : name === "ArrowLeft" ? -1 : 0;
    if (name === "Enter") open();
    else if (!by) return false;
    else pointed.value = order[Math.max(0, Math.min((at === null ? -1 : order.indexOf(at)) + by, order.length - 1))] ?? null;
    return true;
  };
  return (
    <div class="samples-map" ref={host} onClick={open}>
      <Drawing height={HEIGHT} label={t("{n} samples by x and y", { n: exact(points.x.length) })} draw={draw} watch={[places, pictures.size, loaded.value, pictured.value, at, chosen, dark.value]} onMove={(x, y) => (pointed.value = nearest(places, x, y))} onLeave={() => (pointed.value = null)} onKey={key} />
      {at !== null && (
        <div class="samples-tip" role="status" style={{ left: `${Math.max(0, Math.min((places[at]?.[0] ?? 0) + 12, width - 130))}px`, top: `${Math.max(0, Math.min((places[at]?.[1] ?? 0) + 12, HEIGHT - 130))}px` }}>
          {over && <img src={over.address} alt="" />}
          <bdi>{String(points.ids[at])}</bdi> <b><bdi>{nameOf(at)}</bdi></b>
        </div>
      )}
      <p class="legend">
        {[...new Set(points.groups)].sort((a, b) => a - b).slice(0, points.names.length && MOST_NAMES).map((place) => [points.names[place] ?? null, place] as const).map(([name, place]) => <span key={place}><i style={{ background: tint(points.colors[place] ?? "", dark.value) }} aria-hidden="true" /> <bdi>{name === null ? t("none") : String(name)}</bdi></span>)}
        {images.size > 0 && <label class="check" onClick={(event) => event.stopPropagation()}><input type="checkbox" checked={pictured.value} onChange={() => (pictured.value = !pictured.value)} /> {t("Images")}</label>}
        {points.x.length < points.found && <span class="quiet">{t("{shown} of {total} samples are drawn", { shown: exact(points.x.length), total: exact(points.found) })}</span>}
      </p>
    </div>
  );
}

/** The places of points in the drawing. */
function placesOf({ x, y }: PointsOf, width: number): [number, number][] {
  const along = (values: readonly number[], length: number) => {
    const [least, most] = values.reduce(([a, b], value) => [Math.min(a, value), Math.max(b, value)], [Infinity, -Infinity]);
    return values.map((value) => EDGE + (most > least ? (value - least) / (most - least) : 0.5) * (length - 2 * EDGE));
  };
  const [across, down] = [along(x, width), along(y.map((value) => -value), HEIGHT)];
  return across.map((left, at) => [left, down[at] ?? 0]);
}

/** The points with an image that have room for it, so that no image covers another. */
function roomy({ inputs }: PointsOf, places: readonly [number, number][]): number[] {
  const taken = new Map<string, [number, number][]>();
  const found: number[] = [];
  for (const [at, [x, y]] of places.entries()) {
    if (!inputs[at]) continue;
    const [across, down] = [Math.floor(x / ROOM), Math.floor(y / ROOM)];
    const beside = [-1, 0, 1].flatMap((a) => [-1, 0, 1].flatMap((b) => taken.get(`${across + a} ${down + b}`) ?? []));
    if (beside.some(([left, top]) => Math.abs(left - x) < ROOM && Math.abs(top - y) < ROOM)) continue;
    const cell = `${across} ${down}`;
    taken.set(cell, [...(taken.get(cell) ?? []), [x, y]]);
    found.push(at);
  }
  return found;
}

/** The images of some points, as they come. */
function usePictures(addresses: ReadonlyMap<number, string>, wanted: boolean, loaded: { value: number; peek(): number }): ReadonlyMap<number, HTMLImageElement> {
  const found = useMemo(() => new Map<number, HTMLImageElement>(), [addresses]);
  useEffect(() => {
    if (!wanted) return;
    let current = true;
    for (const [at, address] of addresses) {
      if (found.has(at)) continue;
      const image = new Image();
      image.onload = () => {
        if (!current) return;
        found.set(at, image);
        loaded.value = loaded.peek() + 1;
      };
      image.src = address;
    }
    return () => { current = false; };
  }, [addresses, wanted]);
  return wanted ? found : new Map();
}

function nearest(places: readonly [number, number][], x: number, y: number): number | null {
  let found: number | null = null;
  let least = NEAR;
  for (const [at, [left, top]] of places.entries()) {
    const away = Math.hypot(left - x, top - y);
    if (away < least) [found, least] = [at, away];
  }
  return found;
}
