// The workspace.
import "uplot/dist/uPlot.min.css";
import "./chart.css";
import "./style.css";
import "./run.css";
import { render } from "preact";
import { useEffect } from "preact/hooks";
import { Charts } from "./charts";
import { Compare } from "./compare";
import { mark, t } from "./language";
import { Lazy } from "./lazy";
import type { MediaOptions } from "./media";
import { followPrinting } from "./print";
import { Problems, useTroubled } from "./problems";
import { Sidebar } from "./sidebar";
import type { SamplesOptions } from "./samples";
import { alone, answer, connected, dark, follow, followFilter, load, remarked } from "./store";
import { Table } from "./table";
import { Views } from "./views";
import { followAddress, show, type View, view } from "./view";

const remarks = () => import("./remarks").then((part) => part.RemarksDialog);
const media = () => import("./media").then((part) => part.Media);
const samples = () => import("./samples").then((part) => part.Samples);
const runPage = () => import("./run").then((part) => part.RunPage);

/** The log directory's name · VizKit. */
const TITLE = document.title;

function App() {
  const { tab, run } = view.value;
  const troubled = useTroubled().value;
  const running = answer.value?.runs.some((run) => run.status === "running") ?? false;
  const tabs: [typeof tab, string][] = [["charts", mark("Charts")], ["media", mark("Media")], ["samples", mark("Samples")], ["table", mark("Table")], ["compare", mark("Compare")], ["problems", mark("Problems")]];
  const place = run ? (alone.value?.name ?? run) : tab === "charts" ? view.value.full : t(tabs.find(([value]) => value === tab)?.[1] ?? "");
  useEffect(() => {
    document.title = place ? `${place} · ${TITLE}` : TITLE;
  }, [place]);
  return (
    <>
      <header>
        <a class="skip" href="#main">{t("Skip to the charts")}</a>
        <b class="wordmark">VizKit</b>
        <span class="quiet logdir" title={document.body.dataset.logdir}><bdi>{document.body.dataset.logdir}</bdi></span>
        <nav>
          {tabs.map(([value, name]) => (
            <button key={value} aria-current={tab === value && !run ? "page" : undefined} onClick={() => go(value)}>
              {t(name)}{value === "problems" && troubled > 0 && <span class="badge">{troubled}</span>}
            </button>
          ))}
          <Views />
          <a href={document.body.dataset.visualdl ?? "../app/"}>{t("VisualDL's page")}</a>
        </nav>
        <span class="fill" />
        {!connected.value ? <span class="warn" role="alert">{t("connection lost, trying again")}</span> : running && <span class="live" role="status">● {t("live")}</span>}
        <button class="icon" title={t("Light or dark")} aria-label={t("Light or dark")} onClick={() => setTheme(dark.value ? "light" : "dark")}>{dark.value ? "☀" : "☾"}</button>
        <a class="icon" href={otherLanguage()} title={t("Language: 中文")} lang={document.documentElement.lang.startsWith("zh") ? "en" : "zh"}>{document.documentElement.lang.startsWith("zh") ? "English" : "中文"}</a>
      </header>
      <div class="body">
        {(tab !== "table" || run) && <Sidebar />}
        <main id="main" tabIndex={-1}>{!run && <h1 class="unseen">{t(tabs.find(([value]) => value === tab)?.[1] ?? "VizKit")}</h1>}{run ? <Lazy key="run" load={runPage} options={{}} /> : tab === "charts" ? <Charts /> : tab === "media" ? <Lazy<MediaOptions> key="media" load={media} options={{}} /> : tab === "samples" ? <Lazy<SamplesOptions> key="samples" load={samples} options={{}} /> : tab === "compare" ? <Compare /> : tab === "problems" ? <Problems /> : <Table />}</main>
      </div>
      {remarked.value && <Lazy<object> key={remarked.value} load={remarks} options={{}} />}
    </>
  );
}

function go(tab: View["tab"]): void {
  show({ tab, full: "", ...(view.value.run ? { run: "", from: null, to: null } : {}) }, true);
}

function otherLanguage(): string {
  void view.value; // the address follows the view
  const query = new URLSearchParams(window.location.search);
  query.set("lang", document.documentElement.lang.startsWith("zh") ? "en" : "zh");
  return `?${query}`;
}

function setTheme(theme: string): void {
  document.documentElement.dataset.theme = theme;
  try {
    localStorage.setItem("vizkit-theme", theme);
  } catch {
    // a browser that keeps nothing
  }
  dark.value = theme === "dark";
}

/** Menus that were opened close with Escape, and with a click elsewhere. */
function closeMenus(): void {
  const open = () => document.querySelectorAll<HTMLDetailsElement>("details.choose[open]");
  document.addEventListener("pointerdown", (event) => {
    for (const menu of open()) if (!menu.contains(event.target as Node)) menu.open = false;
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const menu of open()) {
      if (menu.contains(document.activeElement)) menu.querySelector("summary")?.focus();
      menu.open = false;
    }
  });
}

function begin(): void {
  const system = matchMedia("(prefers-color-scheme: dark)");
  let kept: string | null = null;
  try {
    kept = localStorage.getItem("vizkit-theme");
  } catch {
    // as above
  }
  if (kept) setTheme(kept);
  else dark.value = system.matches;
  system.addEventListener("change", () => {
    if (!document.documentElement.dataset.theme) dark.value = system.matches;
  });
  closeMenus();
  followPrinting();
  followAddress();
  followFilter();
  void load().then(follow);
  const root = document.getElementById("workspace");
  if (root) render(<App />, root);
}

begin();
