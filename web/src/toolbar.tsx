// Settings of all charts.
import { useSignal } from "@preact/signals";
import { useLayoutEffect, useRef } from "preact/hooks";
import { curves, Refusal } from "./api";
import { mark, t } from "./language";
import { matcher, panelTags } from "./ranges";
import { tags } from "./store";
import { axis, chooseAxis, show, type View, view } from "./view";

const SMOOTH: [View["smooth"], string][] = [["none", mark("none")], ["ema", mark("exponential")], ["time", mark("by time")], ["gaussian", mark("Gaussian")], ["mean", mark("running mean")]];
const BANDS: [View["band"], string][] = [["auto", mark("automatic")], ["ci", mark("95 % interval")], ["std", mark("standard deviation")], ["se", mark("standard error")], ["minmax", mark("least and greatest")], ["none", mark("none")]];

/** The slider's reach for each kind of smoothing: least, most, step, and the value that it starts at. */
const AMOUNT: Record<View["smooth"], [number, number, number, number]> = {
  none: [0, 0, 1, 0],
  ema: [0, 0.999, 0.001, 0.6],
  time: [0, 0.999, 0.001, 0.6],
  gaussian: [1, 200, 1, 10],
  mean: [2, 500, 1, 10],
};

export function Toolbar() {
  const now = view.value;
  const [least, most, step] = AMOUNT[now.smooth];
  const adding = useSignal(false);
  return (
    <div class="toolbar" role="toolbar" aria-label={t("Settings of all charts")}>
      <input type="search" value={now.tags} aria-invalid={matcher(now.tags) ? undefined : true} spellcheck={false} placeholder={t("Tags (regular expression)")} aria-label={t("Select tags by a regular expression")} onInput={(event) => show({ tags: event.currentTarget.value })} />
      <label>
        {t("Horizontal axis")}
        <select value={axis.value} onChange={(event) => chooseAxis(event.currentTarget.value)}>
          <option value="step">{t("Step")}</option>
          <option value="time">{t("Time since start")}</option>
          <option value="relative">{t("Time since the first record")}</option>
          <option value="epoch">{t("Epoch")}</option>
          <option value="walltime">{t("Time of day")}</option>
          {tags.value.slice(0, 200).map((tag) => <option key={tag} value={tag}>{tag}</option>)}
        </select>
      </label>
      <label>
        {t("Smoothing")}
        <select value={now.smooth} onChange={(event) => { const smooth = event.currentTarget.value as View["smooth"]; show({ smooth, amount: AMOUNT[smooth][3] }); }}>
          {SMOOTH.map(([value, name]) => <option key={value} value={value}>{t(name)}</option>)}
        </select>
      </label>
      {now.smooth !== "none" && (
        <label class="slider">
          <span class="unseen">{t("Smoothing")}</span>
          <input type="range" min={least} max={most} step={step} value={now.amount} onInput={(event) => show({ amount: Number(event.currentTarget.value) })} />
          <output>{now.amount}</output>
        </label>
      )}
      {now.group.length > 0 && !now.run && (
        <>
          <label>
            {t("Centre")}
            <select value={now.centre} onChange={(event) => show({ centre: event.currentTarget.value as View["centre"] })}>
              <option value="mean">{t("mean")}</option>
              <option value="median">{t("median")}</option>
            </select>
          </label>
          <label>
            {t("Band")}
            <select value={now.band} onChange={(event) => show({ band: event.currentTarget.value as View["band"] })}>
              {BANDS.map(([value, name]) => <option key={value} value={value}>{t(name)}</option>)}
            </select>
          </label>
        </>
      )}
      <Check name="ylog" text={t("Logarithmic y")} />
      <Check name="xlog" text={t("Logarithmic x")} />
      <Check name="robust" text={t("Leave outliers out")} />
      <Check name="shared" text={t("Zoom all charts")} />
      {now.from !== null && <button onClick={() => show({ from: null, to: null })}>{t("Reset zoom")}</button>}
      <span class="fill" />
      {adding.value ? <NewPanel close={() => (adding.value = false)} /> : <button onClick={() => (adding.value = true)}>+ {t("New panel")}</button>}
    </div>
  );
}

/** The field of a panel's tags; what is wrong with them stands below it, and the panel is not added. */
function NewPanel({ close }: { close: () => void }) {
  const text = useSignal("");
  const error = useSignal("");
  const timer = useRef(0);
  const field = useRef<HTMLInputElement>(null);
  useLayoutEffect(() => field.current?.focus(), []); // what comes later has no autofocus
  const look = async () => {
    const asked = text.value.trim();
    const found = asked ? await wrong(asked) : "";
    if (asked === text.value.trim()) error.value = found;
    return asked === text.value.trim() && !found;
  };
  const about = t("Tags with commas, a regular expression, or an expression such as {example}", { example: "{eval/loss} - {train/loss}" });
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        clearTimeout(timer.current);
        const asked = text.value.trim();
        void look().then((right) => {
          if (!right) return;
          if (asked) {
            show({ panels: [...new Set([...view.value.panels, asked])] });
            document.getElementById("main")?.scrollTo({ top: 0 }); // where it stands
          }
          close();
        });
      }}
    >
      <input
        type="text"
        list="tags"
        value={text.value}
        placeholder="train/loss, eval/loss"
        aria-label={about}
        aria-invalid={error.value ? true : undefined}
        title={about}
        spellcheck={false}
        ref={field}
        onInput={(event) => {
          text.value = event.currentTarget.value;
          clearTimeout(timer.current);
          timer.current = window.setTimeout(() => void look(), 400);
        }}
        onKeyDown={(event) => { if (event.key === "Escape") close(); }}
      />
      <datalist id="tags">{tags.value.slice(0, 300).map((tag) => <option key={tag} value={tag} />)}</datalist>
      <button type="submit">{t("Add")}</button>
      {error.value && <p class="error" role="alert">{error.value}</p>}
    </form>
  );
}

/** The reason why a panel of these tags would be empty. */
async function wrong(text: string): Promise<string> {
  const named = panelTags(text, tags.value);
  if (!named.length) return t("no tag matches");
  try {
    for (const tag of named) if (!tags.value.includes(tag)) await curves({ tag, runs: [], x: "step", xlog: false, from: null, to: null, width: 1, smooth: "0", group: [], centre: "mean", band: "none" });
  } catch (error) {
    if (error instanceof Refusal) return error.message;
  }
  return "";
}

function Check({ name, text }: { name: "ylog" | "xlog" | "robust" | "shared"; text: string }) {
  return (
    <label class="check">
      <input type="checkbox" checked={view.value[name]} onChange={(event) => show({ [name]: event.currentTarget.checked })} /> {text}
    </label>
  );
}
