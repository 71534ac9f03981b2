// Zooms by the wheel and by two fingers, and the windows that they make.

const GESTURE = 1000; // milliseconds without a turn of the wheel after which it begins another zoom

interface Told {
  /** `goesOn`: of one gesture with the zoom before. */
  zoomed(window: [number, number], goesOn: boolean): void;
  /** the wheel was turned without the key that zooms: the page scrolls. */
  scrolled(): void;
}

/** Listen to an element. `axis` is what its x axis shows, once it shows something. */
export function listen(element: HTMLElement, axis: () => { window: [number, number]; log: boolean } | null, { zoomed, scrolled }: Told): void {
  let wheeled = -Infinity;
  let held: { pinch: Pinch; window: [number, number]; begun: boolean } | null = null; // as two fingers came down
  element.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && !event.metaKey) return scrolled(); // a pinch on a trackpad is told as a wheel with Ctrl
    event.preventDefault();
    const shown = axis();
    if (!shown) return;
    const share = event.offsetX / element.clientWidth;
    const factor = Math.exp(Math.sign(event.deltaY) * Math.min(Math.abs(event.deltaY), 60) * 0.005);
    const goesOn = event.timeStamp - wheeled < GESTURE;
    wheeled = event.timeStamp;
    zoomed(scaled(...shown.window, share, factor, shown.log), goesOn);
  }, { passive: false });
  element.addEventListener("touchstart", ({ touches }) => {
    const shown = axis();
    const pinch = pinchOf(touches, element.getBoundingClientRect());
    held = pinch && shown ? { pinch, window: shown.window, begun: false } : null;
  });
  element.addEventListener("touchmove", (event) => {
    const now = pinchOf(event.touches, element.getBoundingClientRect());
    const shown = axis();
    if (!now || !held || !shown) return; // one finger scrolls the page
    event.preventDefault();
    const { pinch, window, begun } = held;
    const larger = scaled(...window, pinch.share, pinch.apart / now.apart, shown.log);
    zoomed(moved(...larger, pinch.share - now.share, shown.log), begun);
    held.begun = true;
  }, { passive: false });
}

/** Two fingers: their middle as a share of the width, and how many pixels they are apart. */
interface Pinch {
  share: number;
  apart: number;
}

function pinchOf(touches: ArrayLike<{ clientX: number; clientY: number }>, { left, width }: { left: number; width: number }): Pinch | null {
  const [one, other] = [touches[0], touches[1]];
  if (touches.length !== 2 || !one || !other || width <= 0) return null;
  return { share: ((one.clientX + other.clientX) / 2 - left) / width, apart: Math.max(Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY), 10) };
}

/** A window that is larger or smaller around a share of itself. */
export function scaled(low: number, high: number, share: number, factor: number, log: boolean): [number, number] {
  const [a, b] = log ? [Math.log(low), Math.log(high)] : [low, high];
  const at = a + (b - a) * share;
  const [from, to] = [at - (at - a) * factor, at + (b - at) * factor];
  return log ? [Math.exp(from), Math.exp(to)] : [from, to];
}

/** A window that is moved by a share of itself. */
export function moved(low: number, high: number, by: number, log: boolean): [number, number] {
  if (!log) return [low + (high - low) * by, high + (high - low) * by];
  const factor = (high / low) ** by;
  return [low * factor, high * factor];
}
