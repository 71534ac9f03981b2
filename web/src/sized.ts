// Elements that know their width, and canvases in the screen's own pixels.
import { type Signal, useSignal } from "@preact/signals";
import type { RefObject } from "preact";
import { useEffect } from "preact/hooks";

/** The width of an element, which follows the window; `first` until it is known. */
export function useWidth(host: RefObject<HTMLElement>, first = 0): Signal<number> {
  const width = useSignal(first);
  useEffect(() => {
    const element = host.current;
    if (!element) return;
    const observer = new ResizeObserver(() => (width.value = element.clientWidth));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return width;
}

/** The empty drawing of a canvas of some CSS pixels; null before it has a width. */
export function emptied(canvas: HTMLCanvasElement | null, width: number, height: number): CanvasRenderingContext2D | null {
  const context = canvas?.getContext("2d");
  if (!canvas || !context || !width) return null;
  const ratio = window.devicePixelRatio || 1;
  [canvas.width, canvas.height] = [width * ratio, height * ratio];
  context.scale(ratio, ratio);
  return context;
}
