// What the page shows, kept in its address, so that a view can be sent.
import { computed, effect, signal } from "@preact/signals";

export interface View {
  tab: "charts" | "media" | "samples" | "table" | "compare" | "problems";
  /** path of a run whose own page is shown in place of the tab; empty: none. */
  run: string;
  /** the horizontal axis on that page, where training and machine share one. */
  runx: string;
  filter: string;
  /** regular expression that selects tags. */
  tags: string;
  sort: string;
  desc: boolean;
  /** hyper-parameters to group by. */
  group: string[];
  centre: "mean" | "median";
  band: "auto" | "ci" | "std" | "se" | "minmax" | "none";
  /** step, epoch, time, relative, walltime, or a scalar tag. */
  x: string;
  from: number | null;
  to: number | null;
  xlog: boolean;
  ylog: boolean;
  smooth: "none" | "ema" | "time" | "gaussian" | "mean";
  amount: number;
  /** True: the range of y leaves outliers out. */
  robust: boolean;
  /** paths of runs that are not drawn. */
  hidden: string[];
  /** paths of the only runs drawn; empty: all that are not hidden. */
  only: string[];
  pinned: string[];
  baseline: string;
  /** sections of charts that are folded. */
  folded: string[];
  /** panels of several tags: a list of tags or a regular expression each. */
  panels: string[];
  /** columns of the table, in order; empty: chosen by the page. */
  columns: string[];
  /** a panel that fills the page. */
  full: string;
  shared: boolean;
  /** the step whose images, curves and texts are shown; null: the last. */
  at: number | null;
  /** width of images, in pixels. */
  tile: number;
  /** the tag whose images are compared; empty: none. */
  look: string;
  /** images of all steps, not of one. */
  grid: boolean;
  /** layers that are drawn over images, and `image` for these themselves; empty: pictures as they were recorded. */
  layers: string[];
  /** the least score of boxes that are drawn; null: that of the image. */
  least: number | null;
  /** of masks, in percent. */
  opacity: number;
  /** how two images are compared, and the paths of their runs. */
  versus: "beside" | "swipe" | "blink" | "difference";
  one: string;
  other: string;
  /** the step of the second of two images; null: that of the page. */
  then: number | null;
  /** histograms as heat maps. */
  heat: boolean;
  /** classes whose PR and ROC curves are drawn; empty: chosen by the page. */
  classes: string[];
  /** what the cells of a confusion matrix show. */
  rates: "counts" | "true" | "predicted";
  /** texts as they were written. */
  plain: boolean;
  /** words that are searched in texts. */
  find: string;
  /** conditions on runs, see `scales.Brush`. */
  brush: string[];
  /** axes of the parallel coordinates, and of the scatter; empty: chosen by the page. */
  axes: string[];
  sx: string;
  sy: string;
  /** what colours the runs of both show; empty: each its own. */
  hue: string;
  /** the metric of importance and verdict, and its better direction. */
  metric: string;
  better: "auto" | "max" | "min";
  /** the sides of the verdict, see `sides.Side`; empty: chosen by the page. */
  a: string;
  b: string;
  /** paths of the two runs whose texts are side by side, and the text. */
  left: string;
  right: string;
  text: string;
  /** the table of samples that is shown; empty: chosen by the page. */
  sheet: string;
  /** path of its run, and of the run whose samples stand beside. */
  of: string;
  against: string;
  /** an expression that selects samples, and the column they are sorted by. */
  where: string;
  order: string;
  down: boolean;
  /** the column that samples are grouped by. */
  by: string;
  /** id of the sample that is open. */
  sample: string;
  /** archived runs are listed too. */
  archived: boolean;
}

export const PLAIN: View = {
  tab: "charts",
  run: "",
  runx: "time",
  filter: "",
  tags: "",
  sort: "",
  desc: false,
  group: [],
  centre: "mean",
  band: "auto",
  x: "step",
  from: null,
  to: null,
  xlog: false,
  ylog: false,
  smooth: "none",
  amount: 0.6,
  robust: false,
  hidden: [],
  only: [],
  pinned: [],
  baseline: "",
  folded: [],
  panels: [],
  columns: [],
  full: "",
  shared: true,
  at: null,
  tile: 112,
  look: "",
  grid: false,
  layers: [],
  least: null,
  opacity: 45,
  versus: "beside",
  one: "",
  other: "",
  then: null,
  heat: false,
  classes: [],
  rates: "counts",
  plain: false,
  find: "",
  brush: [],
  axes: [],
  sx: "",
  sy: "",
  hue: "",
  metric: "",
  better: "auto",
  a: "",
  b: "",
  left: "",
  right: "",
  text: "configuration",
  sheet: "",
  of: "",
  against: "",
  where: "",
  order: "",
  down: false,
  by: "",
  sample: "",
  archived: false,
};

const CHOICES: Partial<Record<keyof View, readonly string[]>> = {
  tab: ["charts", "media", "samples", "table", "compare", "problems"],
  centre: ["mean", "median"],
  band: ["auto", "ci", "std", "se", "minmax", "none"],
  versus: ["beside", "swipe", "blink", "difference"],
  rates: ["counts", "true", "predicted"],
  smooth: ["none", "ema", "time", "gaussian", "mean"],
  better: ["auto", "max", "min"],
};

/** The view of a query; what makes no sense counts as not given. */
export function readView(query: string): View {
  const given = new URLSearchParams(query);
  const view: Record<string, unknown> = { ...PLAIN };
  for (const [name, plain] of Object.entries(PLAIN)) {
    const last = given.getAll(name).at(-1);
    if (last === undefined) continue;
    if (Array.isArray(plain)) view[name] = [...new Set(given.getAll(name).filter(Boolean))];
    else if (typeof plain === "boolean") view[name] = last === "1";
    else if (plain === null || typeof plain === "number") {
      const value = Number(last);
      if (last.trim() !== "" && Number.isFinite(value)) view[name] = value;
    } else if (!CHOICES[name as keyof View] || CHOICES[name as keyof View]?.includes(last)) view[name] = last;
  }
  const read = view as unknown as View;
  if (read.from !== null && read.to !== null && read.from >= read.to) read.from = read.to = null;
  return read;
}

/** The query of a view: what differs from the plain one. */
export function writeView(view: View): string {
  const query = new URLSearchParams();
  for (const [name, plain] of Object.entries(PLAIN)) {
    const value = view[name as keyof View];
    if (Array.isArray(value)) for (const one of value) query.append(name, one);
    else if (value !== plain && value !== null) query.set(name, typeof value === "boolean" ? (value ? "1" : "0") : String(value));
  }
  return query.toString();
}

const browser = typeof window !== "undefined";

/** What is shown now. */
export const view = signal<View>(browser ? readView(window.location.search) : PLAIN);

/** Change the view; `step` makes it one that the browser's back button returns from. */
export function show(changes: Partial<View>, step = false): void {
  if (step) window.history.pushState(null, "", window.location.href);
  view.value = { ...view.value, ...changes };
}

/** A part of the view that components follow without being drawn anew for the others. */
export function part<Name extends keyof View>(name: Name) {
  return computed(() => view.value[name]);
}

/** The horizontal axis of the page that is shown. */
export const axis = computed(() => (view.value.run ? view.value.runx : view.value.x));

/** Choose the horizontal axis; a window of another one means nothing. */
export function chooseAxis(x: string): void {
  show({ [view.value.run ? "runx" : "x"]: x, from: null, to: null });
}

/** Show the page of a run, or for none go back to the tab. */
export function openRun(path: string): void {
  show({ run: path, full: "", look: "", sample: "", where: "", from: null, to: null }, true);
}

/** The address of a run's page, for links. */
export function addressOf(path: string): string {
  const query = new URLSearchParams({ run: path });
  const language = new URLSearchParams(window.location.search).get("lang");
  if (language) query.set("lang", language);
  return `?${query}`;
}

/** Keep the address and the view the same. */
export function followAddress(): void {
  const language = new URLSearchParams(window.location.search).get("lang");
  effect(() => {
    const query = new URLSearchParams(writeView(view.value));
    if (language) query.set("lang", language);
    const text = query.toString();
    window.history.replaceState(null, "", text ? `?${text}` : window.location.pathname);
  });
  window.addEventListener("popstate", () => {
    view.value = readView(window.location.search);
  });
}

/** A list with an element put in, or taken out where it was. */
export function toggled(list: readonly string[], element: string): string[] {
  return list.includes(element) ? list.filter((one) => one !== element) : [...list, element];
}
