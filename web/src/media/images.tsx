// Images of a tag: one step of all runs, or all steps of them, magnified together.
import { type Signal, useComputed, useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { exact } from "../format";
import { t } from "../language";
import { useWidth } from "../sized";
import { show, view } from "../view";
import { type Chosen, Frame, Name, placeOf, type Shown, useCaptions, useChosen, useRecords } from "./frame";
import { fitted, type Lens, PLAIN_LENS, useLens } from "./lens";
import { Legend, Overlay, shownAddress, useLayers } from "./layers";
import { nearestStep, type Place, smallAddress, stepsOf } from "./records";

export function ImageTag({ tag }: { tag: string }) {
  const { host, found, trouble, left, more } = useRecords("image", tag);
  const lens = useSignal(PLAIN_LENS);
  const chosen = useChosen(found);
  const captions = useCaptions(tag, chosen);
  const extra = (
    <>
      {lens.value.scale > 1 && <button class="quiet" onClick={() => (lens.value = PLAIN_LENS)}>{t("Reset zoom")}</button>}
      <button class="quiet" onClick={() => show({ look: tag }, true)}>{t("Compare")}</button>
    </>
  );
  return (
    <Frame tag={tag} host={host} found={found.value} trouble={trouble.value} left={left.value} more={more} wide extra={extra}>
      {view.value.grid ? <Grid tag={tag} found={found.value} lens={lens} /> : <div class="tiles" style={{ minHeight: `${view.value.tile + 30}px` }}>{chosen.value.map((one) => <Tile key={one.run.path} tag={tag} one={one} lens={lens} caption={captions.value.get(one.run.path)} />)}</div>}
    </Frame>
  );
}

function Tile({ tag, one: { run, record, wanted }, lens, caption }: { tag: string; one: Chosen; lens: Signal<Lens>; caption: string | undefined }) {
  const size = view.value.tile;
  return (
    <div class="tile" style={{ width: `${size}px` }}>
      <Picture tag={tag} name={run.name} record={record} width={size} height={size} lens={lens} open={() => show({ look: tag }, true)} />
      <Name run={run} step={record.step} wanted={wanted} />
      <Legend record={record} />
      {caption !== undefined && <p class="said" title={caption}>{caption.slice(0, 500)}</p>}
    </div>
  );
}

interface PictureOptions {
  tag: string;
  name: string;
  record: Place;
  width: number;
  height: number;
  lens: Signal<Lens>;
  /** what a click does. */
  open?(): void;
}

/** An image under the lens of its tag. A click opens it; Ctrl and the wheel, or two fingers, magnify all. */
export function Picture({ tag, name, record, width, height, lens, open }: PictureOptions) {
  const size = useSignal<[number, number] | null>(null);
  const box = useRef<HTMLButtonElement>(null);
  useLens(box, lens, size, "ctrl");
  const place = size.value && fitted(size.value, [width, height], lens.value);
  const layers = useLayers(record).value;
  const label = `${tag}, ${name}, ${t("Step")} ${exact(record.step)}`;
  const whole = shownAddress(record);
  const source = smallAddress(whole, Math.max(width, height) * lens.value.scale * window.devicePixelRatio);
  return (
    <button ref={box} class="lens" style={{ width: `${width}px`, height: `${height}px`, touchAction: lens.value.scale > 1 ? "none" : "pan-x pan-y" }} onClick={open} title={t("Click to compare; Ctrl and wheel zooms all images")}>
      <img loading="lazy" src={source} alt={label} class={place ? (place.zoom > 1 && size.value && isWhole(size.value, source, whole) ? "placed pixels" : "placed") : ""} style={place ? { width: `${place.width}px`, height: `${place.height}px`, left: `${place.left}px`, top: `${place.top}px` } : {}} onLoad={(event) => (size.value = [event.currentTarget.naturalWidth, event.currentTarget.naturalHeight])} />
      {layers && place && <Overlay record={record} layers={layers} place={place} label={label} />}
    </button>
  );
}

/** True if an image has all of its pixels: those that were made smaller have as many as were asked for. */
function isWhole(size: readonly [number, number], source: string, whole: string): boolean {
  return source === whole || Math.max(...size) < Number(new URLSearchParams(source).get("side"));
}

const GAP = 6;

/** A row for each run, a column for each step; only those in view are there. */
function Grid({ tag, found, lens }: { tag: string; found: readonly Shown[]; lens: Signal<Lens> }) {
  const scroller = useRef<HTMLDivElement>(null);
  const width = useWidth(scroller, 800);
  const left = useSignal(0);
  const size = view.value.tile;
  const column = size + GAP;
  const steps = stepsOf(found);
  const now = placeOf(steps);
  const first = useComputed(() => Math.max(0, Math.floor(left.value / (view.value.tile + GAP)) - 2)).value;
  const shown = steps.slice(first, first + Math.ceil(width.value / column) + 4);
  useEffect(() => {
    const element = scroller.current;
    if (!element || now < 0) return;
    const [start, end] = [now * column, (now + 1) * column];
    if (start < element.scrollLeft) element.scrollLeft = start;
    else if (end > element.scrollLeft + element.clientWidth) element.scrollLeft = end - element.clientWidth;
  }, [now, column, found.length]);
  return (
    <div class="film" ref={scroller} onScroll={(event) => (left.value = event.currentTarget.scrollLeft)} role="group" aria-label={t("{tag} over steps", { tag })} tabIndex={0}>
      <div style={{ width: `${steps.length * column}px` }}>
        <div class="film-steps" style={{ paddingLeft: `${first * column}px` }}>
          {shown.map((step, at) => <button key={step} class="quiet" aria-current={first + at === now ? "step" : undefined} style={{ width: `${size}px` }} onClick={() => show({ at: first + at === steps.length - 1 ? null : step })}>{exact(step)}</button>)}
        </div>
        {found.map(({ run, records }) => (
          <div key={run.path}>
            <div class="film-name"><Name run={run} /></div>
            <div class="film-row" style={{ paddingLeft: `${first * column}px` }}>
              {shown.map((step) => {
                const record = records[nearestStep(records, step)];
                return record?.step === step ? (
                  <Picture key={step} tag={tag} name={run.name} record={record} width={size} height={size} lens={lens} open={() => show({ look: tag, at: step === steps.at(-1) ? null : step }, true)} />
                ) : <span key={step} class="lens none" style={{ width: `${size}px`, height: `${size}px` }} title={t("not recorded at this step")}>–</span>;
              })}
            </div>
          </div>
        ))}
      </div>
    </div>
  );
}
