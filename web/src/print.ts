// Printing: all of a page is drawn, dark on white.
import { signal } from "@preact/signals";
import { dark } from "./store";

/** The page is about to be printed: what is beyond the view is drawn, too. */
export const printing = signal(false);

const LONGEST = 15_000; // milliseconds that charts are waited for
const BEGUN = 300; // milliseconds in which they are asked for
const OFTEN = 100;

/** Before the page is printed with Ctrl+P, what is beyond the view is drawn, and all in the light theme; a browser's own menu does not wait. */
export function followPrinting(): void {
  let night: boolean | null = null; // the theme before
  const begin = () => {
    night ??= dark.value;
    dark.value = false;
  };
  window.addEventListener("beforeprint", begin);
  window.addEventListener("afterprint", () => {
    dark.value = night ?? dark.value;
    night = null;
    printing.value = false;
  });
  window.addEventListener("keydown", (event) => {
    if ((!event.ctrlKey && !event.metaKey) || event.altKey || event.shiftKey || event.key.toLowerCase() !== "p") return;
    event.preventDefault();
    if (printing.value) return;
    printing.value = true;
    begin();
    const last = performance.now() + LONGEST;
    const look = () => {
      if (performance.now() < last && document.querySelector('[data-busy="1"]')) setTimeout(look, OFTEN);
      else window.print();
    };
    setTimeout(look, BEGUN);
  });
}
