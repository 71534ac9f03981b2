// A chart in a notebook's cell or a page of its own: all of its numbers come with it.
import { signal } from "@preact/signals";
import { render } from "preact";
import uPlotStyle from "uplot/dist/uPlot.min.css";
import chartStyle from "../chart.css";
import { speak } from "../language";
import { type Data, readData } from "./data";
import style from "./embedded.css";
import { Embedded, plain, type State } from "./embedded";
import { followTheme } from "./theme";

interface Shown {
  host: HTMLElement;
  /** Move into another element, if the present one is gone. */
  adopt(host: HTMLElement): void;
  update(data: Data): void;
}

declare global {
  interface Window {
    /** the charts that are followed, by name. */
    vizkitLive?: Record<string, Shown>;
  }
}

/** Show a chart in an element; one of the same name is brought up to date, and keeps what its reader chose. */
export function show(host: HTMLElement, body: ArrayBuffer, live: string): void {
  const data = readData(body);
  speak(data.words, data.language);
  const followed = (window.vizkitLive ??= {});
  const known = live ? followed[live] : undefined;
  if (known?.host === host) {
    known.update(data);
    return;
  }
  const made = mounted(host, data);
  if (live) followed[live] = made;
}

function mounted(first: HTMLElement, data: Data): Shown {
  const state: State = { data: signal(data), dark: signal(false), ...plain(data) };
  const root = document.createElement("div");
  root.className = "vizkit";
  root.lang = data.language;
  let forget = () => {};
  const enter = (host: HTMLElement) => {
    forget();
    const shadow = host.shadowRoot ?? host.attachShadow({ mode: "open" });
    const sheet = document.createElement("style");
    sheet.textContent = `${uPlotStyle}${chartStyle}${style}`;
    shadow.replaceChildren(sheet, root);
    shown.host = host;
    forget = followTheme(host, (dark, page) => {
      state.dark.value = dark;
      root.dataset.theme = dark ? "dark" : "light";
      if (page) root.style.setProperty("--page", page);
      else root.style.removeProperty("--page");
    });
  };
  const shown: Shown = {
    host: first,
    adopt(host) {
      if (!shown.host.isConnected) enter(host);
    },
    update(next) {
      state.data.value = next;
    },
  };
  // Keys that act on the chart are none of the notebook's.
  for (const type of ["keydown", "keypress", "keyup"]) root.addEventListener(type, (event) => event.stopPropagation());
  enter(first);
  render(<Embedded state={state} root={root} />, root);
  return shown;
}
