// One place and magnification for all images of a tag, and the gestures that change it.
import type { ReadonlySignal, Signal } from "@preact/signals";
import type { RefObject } from "preact";
import { useEffect } from "preact/hooks";

export interface Lens {
  /** 1: the image fits its box. */
  scale: number;
  /** the place in the middle of the box, as shares of the image's width and height. */
  x: number;
  y: number;
}

export type Size = [width: number, height: number];

export const PLAIN_LENS: Lens = { scale: 1, x: 0.5, y: 0.5 };
const MOST = 512; // times

/** Where an image lies in its box, in CSS pixels, and how large one of its pixels is. */
export function fitted([wide, tall]: Size, [width, height]: Size, { scale, x, y }: Lens) {
  const zoom = Math.min(width / wide, height / tall) * scale;
  return { zoom, width: wide * zoom, height: tall * zoom, left: width / 2 - x * wide * zoom, top: height / 2 - y * tall * zoom };
}

/** The pixel of an image that lies at a place of its box; null outside of it. */
export function pixelAt(size: Size, box: Size, lens: Lens, left: number, top: number): [number, number] | null {
  const place = fitted(size, box, lens);
  const [x, y] = [Math.floor((left - place.left) / place.zoom), Math.floor((top - place.top) / place.zoom)];
  return x >= 0 && y >= 0 && x < size[0] && y < size[1] ? [x, y] : null;
}

/** Magnify around a place of the box, which stays where it is. */
export function magnified(lens: Lens, by: number, size: Size, box: Size, left: number, top: number): Lens {
  const scale = Math.min(Math.max(lens.scale * by, 1), MOST);
  if (scale === 1) return PLAIN_LENS;
  const [before, after] = [fitted(size, box, lens), fitted(size, box, { ...lens, scale })];
  const x = lens.x + (left - box[0] / 2) * (1 / before.width - 1 / after.width);
  const y = lens.y + (top - box[1] / 2) * (1 / before.height - 1 / after.height);
  return bounded({ scale, x, y });
}

/** Move by some CSS pixels. */
export function moved(lens: Lens, size: Size, box: Size, left: number, top: number): Lens {
  const place = fitted(size, box, lens);
  return bounded({ ...lens, x: lens.x - left / place.width, y: lens.y - top / place.height });
}

function bounded({ scale, x, y }: Lens): Lens {
  return { scale, x: Math.min(Math.max(x, 0), 1), y: Math.min(Math.max(y, 0), 1) };
}

/** Let the wheel, a drag and two fingers change the lens; "ctrl": the plain wheel scrolls the page, and a drag needs a lens that magnifies. */
export function useLens(host: RefObject<HTMLElement>, lens: Signal<Lens>, size: ReadonlySignal<Size | null>, wheel: "ctrl" | "plain"): void {
  useEffect(() => {
    const element = host.current;
    if (!element) return;
    const fingers = new Map<number, { x: number; y: number }>();
    let dragged = 0;
    const boxOf = (): [DOMRect, Size] => {
      const box = element.getBoundingClientRect();
      return [box, [element.clientWidth, element.clientHeight]];
    };
    const zoom = (by: number, x: number, y: number) => {
      const [box, area] = boxOf();
      if (size.peek()) lens.value = magnified(lens.peek(), by, size.peek() as Size, area, x - box.left, y - box.top);
    };
    const turn = (event: WheelEvent) => {
      if (wheel === "ctrl" && !event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      const lines = event.deltaMode === 0 ? event.deltaY / 100 : event.deltaY / 3;
      zoom(Math.exp(-Math.min(Math.max(lines, -2), 2) * 0.35), event.clientX, event.clientY);
    };
    const down = (event: PointerEvent) => {
      dragged = 0;
      fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
      if (event.pointerType === "mouse" && lens.peek().scale > 1) event.preventDefault(); // no drag of the image itself
    };
    const move = (event: PointerEvent) => {
      const before = fingers.get(event.pointerId);
      const known = size.peek();
      if (!before || !known) return;
      const [other] = [...fingers].filter(([id]) => id !== event.pointerId).map(([, place]) => place);
      if (other) {
        const apart = (place: { x: number; y: number }) => Math.hypot(place.x - other.x, place.y - other.y);
        const now = { x: event.clientX, y: event.clientY };
        if (apart(before) > 0) zoom(apart(now) / apart(before), (now.x + other.x) / 2, (now.y + other.y) / 2);
      } else if (lens.peek().scale > 1) {
        dragged += Math.hypot(event.clientX - before.x, event.clientY - before.y);
        if (dragged > 4 && !element.hasPointerCapture(event.pointerId)) element.setPointerCapture(event.pointerId);
        lens.value = moved(lens.peek(), known, boxOf()[1], event.clientX - before.x, event.clientY - before.y);
      }
      fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    };
    const up = (event: PointerEvent) => void fingers.delete(event.pointerId);
    const click = (event: MouseEvent) => {
      if (dragged > 4) event.stopImmediatePropagation(); // the end of a drag
      dragged = 0;
    };
    element.addEventListener("wheel", turn, { passive: false });
    element.addEventListener("pointerdown", down);
    element.addEventListener("pointermove", move);
    for (const end of ["pointerup", "pointercancel", "lostpointercapture"] as const) element.addEventListener(end, up);
    element.addEventListener("click", click, { capture: true });
    return () => {
      element.removeEventListener("wheel", turn);
      element.removeEventListener("pointerdown", down);
      element.removeEventListener("pointermove", move);
      for (const end of ["pointerup", "pointercancel", "lostpointercapture"] as const) element.removeEventListener(end, up);
      element.removeEventListener("click", click, { capture: true });
    };
  }, []);
}
