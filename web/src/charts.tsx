// The charts: a section for each first part of a tag, panels of several tags before them.
import { useComputed } from "@preact/signals";
import { t } from "./language";
import { Legend } from "./legend";
import { Panel } from "./panel";
import { matcher, sections } from "./ranges";
import { answer, tags } from "./store";
import { Toolbar } from "./toolbar";
import { part, show, toggled, view } from "./view";

const folded = part("folded");
const pattern = part("tags");

/** How the first run comes here. */
function Empty() {
  const place = JSON.stringify(`${document.body.dataset.logdir ?? "log"}/run1`);
  return (
    <div class="empty">
      <p>{t("Nothing recorded yet. Runs appear here by themselves, as soon as a training records them:")}</p>
      <pre class="text">{`import vizkit\n\nwith vizkit.Tracker(${place}) as tracker:\n    for step in range(100):\n        tracker.log({"train/loss": 1 / (step + 1)}, step=step)`}</pre>
    </div>
  );
}

export function Charts() {
  const found = useComputed(() => {
    const wanted = pattern.value ? matcher(pattern.value) : null;
    return sections(wanted ? tags.value.filter((tag) => wanted.test(tag)) : tags.value);
  });
  const { full, panels } = view.value;
  if (full) {
    return (
      <section class="charts">
        <Toolbar />
        <Legend />
        <Panel key={full} text={full} own={panels.includes(full)} full />
      </section>
    );
  }
  return (
    <section class="charts">
      <Toolbar />
      <Legend />
      {answer.value && !tags.value.length && (answer.value.runs.length ? <p class="empty">{t("Nothing recorded yet")}</p> : <Empty />)}
      {panels.length > 0 && <div class="grid">{panels.map((text) => <Panel key={text} text={text} own full={false} />)}</div>}
      {found.value.map(({ name, tags: members }) => {
        const closed = folded.value.includes(name || "/");
        return (
          <section key={name}>
            <h2>
              <button aria-expanded={!closed} onClick={() => show({ folded: toggled(folded.value, name || "/") })}>
                <span aria-hidden="true">{closed ? "▸" : "▾"}</span> {name || t("general")} <small>{members.length}</small>
              </button>
            </h2>
            {!closed && <div class="grid">{members.map((tag) => <Panel key={tag} text={tag} own={false} full={false} />)}</div>}
          </section>
        );
      })}
    </section>
  );
}
