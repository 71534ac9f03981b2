// The charts: a section for each first part of a tag, panels of several tags before them.
import { useComputed } from "@preact/signals";
import { t } from "./language";
import { Panel } from "./panel";
import { matcher, sections } from "./ranges";
import { answer, tags } from "./store";
import { Toolbar } from "./toolbar";
import { part, show, toggled, view } from "./view";

const folded = part("folded");
const pattern = part("tags");

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
        <Panel key={full} text={full} own={panels.includes(full)} full />
      </section>
    );
  }
  return (
    <section class="charts">
      <Toolbar />
      {answer.value && !tags.value.length && <p class="empty">{t("Nothing recorded yet")}</p>}
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
