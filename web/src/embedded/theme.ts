// Is the page around a chart dark? Notebooks have themes of their own, which no media query tells.
import { luminance } from "./luminance";

/** Follow the colours around an element; returns a function that ends it. */
export function followTheme(host: HTMLElement, told: (dark: boolean, page: string) => void): () => void {
  const look = () => {
    const page = background(host);
    told(page ? luminance(page) < 0.4 : luminance(getComputedStyle(host).color) > 0.6, page);
  };
  const system = matchMedia("(prefers-color-scheme: dark)");
  const observer = new MutationObserver(look);
  for (const element of [document.documentElement, document.body]) observer.observe(element, { attributes: true });
  observer.observe(document.head, { childList: true }); // JupyterLab's theme is a style sheet
  system.addEventListener("change", look);
  look();
  return () => {
    observer.disconnect();
    system.removeEventListener("change", look);
  };
}

/** The background that an element is on; empty if no element has one. */
function background(host: HTMLElement): string {
  for (let element: HTMLElement | null = host; element; element = element.parentElement) {
    const { backgroundColor } = getComputedStyle(element);
    if (!/^rgba\(.*, 0\)$|^transparent$/.test(backgroundColor)) return backgroundColor;
  }
  return "";
}
