// Images of several runs beside each other, one over the other, or their difference, down to the pixel.
import { type ReadonlySignal, type Signal, useComputed, useSignal, useSignalEffect } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useContext, useEffect, useRef } from "preact/hooks";
import { exact, short } from "../format";
import { mark, t } from "../language";
import { Markdown } from "../markdown";
import { emptied, useWidth } from "../sized";
import { answer, dark } from "../store";
import { show, type View, view } from "../view";
import { type Chosen, Name, Scope, type Shown, StepSlider, useCaptions, useChosen, useRecords } from "./frame";
import { fitted, type Lens, magnified, moved, pixelAt, PLAIN_LENS, type Size, useLens } from "./lens";
import { type Difference, differenceOf } from "./pixels";
import { LayerSwitches, Legend, Overlay, shownAddress, useLayers } from "./layers";
import { nearestStep, stepsOf } from "./records";

const MODES: [View["versus"], string][] = [["beside", mark("Side by side")], ["swipe", mark("Swipe")], ["blink", mark("Blink")], ["difference", mark("Difference")]];
const BLINK = 600; // milliseconds

interface Loaded {
  size: Size;
  pixels: ImageData;
}

interface Pointed {
  /** in the box, CSS pixels. */
  left: number;
  top: number;
  box: Size;
}

/** The images of a tag, filling the page. */
export function Viewer({ tag }: { tag: string }) {
  const { host, found, trouble, left, more } = useRecords("image", tag);
  const scope = useContext(Scope);
  const chosen = useChosen(found);
  const captions = useCaptions(tag, chosen);
  const lens = useSignal<Lens>(PLAIN_LENS);
  const loaded = useSignal<ReadonlyMap<string, Loaded>>(new Map()); // by address
  const pointed = useSignal<Pointed | null>(null);
  const swipe = useSignal(50);
  const gain = useSignal(1);
  const front = useSignal(false);
  const { versus, then } = view.value;
  const [one, other] = useComputed(() => pairOf(chosen.value, found.value, view.value)).value;
  useSignalEffect(() => {
    if (view.value.versus !== "blink") return;
    const timer = setInterval(() => (front.value = !front.peek()), BLINK);
    return () => clearInterval(timer);
  });
  // A difference is of the pictures as they were recorded.
  const source = ({ record }: Chosen) => (view.value.versus === "difference" ? record.address : shownAddress(record));
  const known = (record: Chosen | undefined) => (record ? loaded.value.get(source(record)) : undefined);
  const size = useComputed(() => chosen.value.map((each) => loaded.value.get(source(each))?.size).find((each) => each) ?? null);
  const note = (address: string, image: HTMLImageElement) => {
    const read = pixelsOf(image);
    if (!read || loaded.peek().get(address)) return;
    const next = new Map([...loaded.peek()].slice(-60));
    loaded.value = next.set(address, read);
  };
  const keys = (event: KeyboardEvent) => {
    const box: Size = [600, 600];
    const now = size.peek();
    if (!now || event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|SELECT)$/.test((event.target as HTMLElement).tagName)) return;
    const step = 60;
    const next: Record<string, () => void> = {
      "+": () => (lens.value = magnified(lens.peek(), 1.5, now, box, 300, 300)),
      "=": () => (lens.value = magnified(lens.peek(), 1.5, now, box, 300, 300)),
      "-": () => (lens.value = magnified(lens.peek(), 1 / 1.5, now, box, 300, 300)),
      "0": () => (lens.value = PLAIN_LENS),
      ArrowLeft: () => (lens.value = moved(lens.peek(), now, box, step, 0)),
      ArrowRight: () => (lens.value = moved(lens.peek(), now, box, -step, 0)),
      ArrowUp: () => (lens.value = moved(lens.peek(), now, box, 0, step)),
      ArrowDown: () => (lens.value = moved(lens.peek(), now, box, 0, -step)),
      Escape: () => show({ look: "" }),
    };
    if (event.key.startsWith("Arrow") && lens.peek().scale <= 1) return; // they go from step to step
    const act = next[event.key];
    if (!act) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    act();
  };
  useEffect(() => {
    window.addEventListener("keydown", keys, true); // before the keys for steps
    return () => window.removeEventListener("keydown", keys, true);
  }, []);
  const two = versus !== "beside" && one && other;
  return (
    <figure class="panel wide viewer" ref={host as never} aria-label={tag}>
      <figcaption>
        <button class="quiet" onClick={() => show({ look: "" })}>← {t("Back")}</button>
        <b title={tag}>{tag}</b>
        <span class="choices" role="group" aria-label={t("How images are compared")}>
          {MODES.map(([mode, title]) => <button key={mode} aria-pressed={versus === mode} disabled={mode !== "beside" && stepsOf(found.value).length < 2 && chosen.value.length < 2} onClick={() => show({ versus: mode })}>{t(title)}</button>)}
        </span>
        <StepSlider steps={stepsOf(found.value)} />
        <LayerSwitches />
        <button class="quiet" disabled={lens.value.scale === 1} onClick={() => (lens.value = PLAIN_LENS)}>{t("Reset zoom")}</button>
      </figcaption>
      {trouble.value && <p class="error" role="alert">{trouble.value}</p>}
      {answer.value && !scope.value.some((run) => run.kinds.image?.includes(tag)) && <p class="empty">{t("Nothing of this kind is recorded")}</p>}
      {two && (
        <p class="line">
          <RunChoice label={t("First run")} chosen={chosen.value} now={one.run.path} choose={(path) => show({ one: path, other: other.run.path })} />
          <RunChoice label={t("Second run")} chosen={chosen.value} now={other.run.path} choose={(path) => show({ one: one.run.path, other: path })} />
          <label>{t("its step")} <select value={then ?? ""} onChange={(event) => show({ then: event.currentTarget.value === "" ? null : Number(event.currentTarget.value), one: one.run.path, other: other.run.path })}>
            <option value="">{t("that of the page")}</option>
            {found.value.find(({ run }) => run === other.run)?.records.map(({ step }) => <option key={step} value={step}>{exact(step)}</option>)}
          </select></label>
          {versus === "swipe" && <label>{t("Boundary")} <input type="range" min={0} max={100} value={swipe.value} onInput={(event) => (swipe.value = Number(event.currentTarget.value))} /></label>}
          {versus === "difference" && <label>{t("Amplified")} <input type="range" min={1} max={32} value={gain.value} onInput={(event) => (gain.value = Number(event.currentTarget.value))} /> <output>{gain.value}×</output></label>}
        </p>
      )}
      {two ? (
        <div class="panes one">
          <Pane lens={lens} size={size} pointed={pointed} tall>
            {(box) => versus === "difference" ? <Differing one={known(one)} other={known(other)} gain={gain.value} box={box} lens={lens.value} /> : (
              <>
                <Layer item={one} tag={tag} box={box} lens={lens.value} known={known(one)} note={note} />
                <div class="over" data-front={versus === "swipe" || front.value ? "1" : "0"} style={versus === "swipe" ? { clipPath: `inset(0 0 0 ${swipe.value}%)` } : { visibility: front.value ? "visible" : "hidden" }}>
                  <Layer item={other} tag={tag} box={box} lens={lens.value} known={known(other)} note={note} />
                </div>
                {versus === "swipe" && <div class="boundary" style={{ left: `${swipe.value}%` }} />}
              </>
            )}
          </Pane>
          {versus === "difference" && <div class="unseen">{[one, other].map((each, at) => <img key={at} src={each.record.address} alt="" onLoad={(event) => note(each.record.address, event.currentTarget)} />)}</div>}
          <p>{versus === "blink" ? <Name run={front.value ? other.run : one.run} step={(front.value ? other : one).record.step} wanted={one.wanted} /> : <><Name run={one.run} step={one.record.step} wanted={one.wanted} /> | <Name run={other.run} step={other.record.step} wanted={other.wanted} /></>}</p>
          {versus === "difference" && <DifferenceText one={known(one)} other={known(other)} />}
        </div>
      ) : (
        <div class="panes">
          {chosen.value.map((each) => (
            <div key={each.run.path}>
              <Pane lens={lens} size={size} pointed={pointed} tall={chosen.value.length < 3}>{(box) => <Layer item={each} tag={tag} box={box} lens={lens.value} known={known(each)} note={note} />}</Pane>
              <Name run={each.run} step={each.record.step} wanted={each.wanted} />
              <Legend record={each.record} />
              <Said text={captions.value.get(each.run.path)} />
            </div>
          ))}
        </div>
      )}
      <Readout chosen={two ? [one, other] : chosen.value} known={known} pointed={pointed.value} lens={lens.value} />
      <p class="note">{t("Wheel, two fingers, + and − zoom; drag or arrows move; 0 resets; comma and full stop change the step; Esc goes back")}</p>
      {left.value > 0 && <button class="quiet" onClick={more}>{t("{n} more runs", { n: left.value })}</button>}
    </figure>
  );
}

/** A caption in full. */
function Said({ text }: { text: string | undefined }) {
  return text === undefined ? null : <div class="text"><Markdown text={text.slice(0, 10_000)} /></div>;
}

/** The two images that are compared: of the runs of the address, or else of the baseline or the first, and the next; of a run alone that of the step before. */
function pairOf(chosen: readonly Chosen[], found: readonly Shown[], view: View): [Chosen | undefined, Chosen | undefined] {
  const named = (path: string) => chosen.find((each) => each.run.path === path);
  const one = named(view.one) ?? named(view.baseline) ?? chosen[0];
  const other = named(view.other) ?? chosen.find((each) => each !== one) ?? one;
  const records = found.find(({ run }) => run === other?.run)?.records ?? [];
  if (!one || !other) return [one, undefined];
  const before = other === one && !view.other ? records[records.indexOf(one.record) - 1] : undefined;
  const record = view.then === null ? before : records[nearestStep(records, view.then)];
  return [one, record ? { ...other, record } : other];
}

function RunChoice({ label, chosen, now, choose }: { label: string; chosen: readonly Chosen[]; now: string; choose(path: string): void }) {
  return <label>{label} <select value={now} onChange={(event) => choose(event.currentTarget.value)}>{chosen.map(({ run }) => <option key={run.path} value={run.path}>{run.name}</option>)}</select></label>;
}

/** The pixels of an image that is loaded; null if it has too many. */
function pixelsOf(image: HTMLImageElement): Loaded | null {
  const size: Size = [image.naturalWidth, image.naturalHeight];
  if (!size[0] || !size[1] || size[0] * size[1] > 64e6) return null;
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = size;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (!context) return null;
  context.drawImage(image, 0, 0);
  return { size, pixels: context.getImageData(0, 0, size[0], size[1]) };
}

/** A box for images, which the pointer magnifies and moves. */
function Pane({ lens, size, pointed, tall, children }: { lens: Signal<Lens>; size: ReadonlySignal<Size | null>; pointed: Signal<Pointed | null>; tall: boolean; children(box: Size): ComponentChildren }) {
  const host = useRef<HTMLDivElement>(null);
  const width = useWidth(host, 300);
  useLens(host, lens, size, "plain");
  const aspect = size.value ? size.value[1] / size.value[0] : 1;
  const height = Math.round(Math.min(width.value * aspect, Math.max(window.innerHeight * (tall ? 0.66 : 0.4), 240)));
  const box: Size = [width.value, height];
  return (
    <div ref={host} class="pane" tabIndex={0} role="group" aria-label={t("Image, to be zoomed and moved")} style={{ height: `${height}px`, touchAction: lens.value.scale > 1 ? "none" : "pan-x pan-y" }} onDblClick={() => (lens.value = PLAIN_LENS)} onPointerMove={(event) => {
      const place = event.currentTarget.getBoundingClientRect();
      pointed.value = { left: event.clientX - place.left, top: event.clientY - place.top, box };
    }} onPointerLeave={() => (pointed.value = null)}>
      {children(box)}
      <Crosshair pointed={pointed.value} size={size.value} lens={lens.value} box={box} />
    </div>
  );
}

function Layer({ item, tag, box, lens, known, note }: { item: Chosen; tag: string; box: Size; lens: Lens; known: Loaded | undefined; note(address: string, image: HTMLImageElement): void }) {
  const address = shownAddress(item.record);
  const own = useSignal<Size | null>(null);
  const size = known?.size ?? own.value;
  const place = size && fitted(size, box, lens);
  const layers = useLayers(item.record).value;
  const label = `${tag}, ${item.run.name}, ${t("Step")} ${exact(item.record.step)}`;
  return (
    <>
      <img class={place ? (place.zoom > 1 ? "placed pixels" : "placed") : "whole"} src={address} draggable={false} alt={label} style={place ? { width: `${place.width}px`, height: `${place.height}px`, left: `${place.left}px`, top: `${place.top}px` } : {}} onLoad={(event) => {
        own.value = [event.currentTarget.naturalWidth, event.currentTarget.naturalHeight];
        note(address, event.currentTarget);
      }} />
      {layers && place && <Overlay record={item.record} layers={layers} place={place} label={label} />}
    </>
  );
}

/** A frame around the pixel under the pointer, in every pane. */
function Crosshair({ pointed, size, lens, box }: { pointed: Pointed | null; size: Size | null; lens: Lens; box: Size }) {
  if (!pointed || !size) return null;
  const pixel = pixelAt(size, pointed.box, lens, pointed.left, pointed.top);
  const place = fitted(size, box, lens);
  if (!pixel || place.zoom < 3) return null;
  return <div class="crosshair" style={{ left: `${place.left + pixel[0] * place.zoom}px`, top: `${place.top + pixel[1] * place.zoom}px`, width: `${place.zoom}px`, height: `${place.zoom}px` }} />;
}

/** The values of the pixel under the pointer in every run. */
function Readout({ chosen, known, pointed, lens }: { chosen: readonly Chosen[]; known(each: Chosen): Loaded | undefined; pointed: Pointed | null; lens: Lens }) {
  const first = chosen.map(known).find((each) => each);
  const zoom = first && pointed ? fitted(first.size, pointed.box, lens).zoom : null;
  const pixel = first && pointed ? pixelAt(first.size, pointed.box, lens, pointed.left, pointed.top) : null;
  return (
    <p class="note point" role="status">
      {pixel ? (
        <>
          x {pixel[0]}, y {pixel[1]} · {short(Math.round((zoom ?? 1) * 100))} %
          {chosen.slice(0, 8).map((each, order) => {
            const image = known(each);
            if (!image || pixel[0] >= image.size[0] || pixel[1] >= image.size[1]) return null;
            const at = 4 * (pixel[1] * image.size[0] + pixel[0]);
            const [red, green, blue, alpha] = image.pixels.data.slice(at, at + 4);
            return <span key={order}> · <Name run={each.run} step={each.record.step} wanted={each.wanted} /> {red}, {green}, {blue}{alpha === 255 ? "" : `, ${alpha}`}</span>;
          })}
        </>
      ) : t("Point at an image for the values of its pixels")}
    </p>
  );
}

function Differing({ one, other, gain, box, lens }: { one: Loaded | undefined; other: Loaded | undefined; gain: number; box: Size; lens: Lens }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const context = emptied(canvas.current, box[0], box[1]);
    if (!context || !one || !other) return;
    const found = differenceOf(one.pixels, other.pixels, gain);
    const whole = document.createElement("canvas");
    [whole.width, whole.height] = [found.width, found.height];
    whole.getContext("2d")?.putImageData(new ImageData(found.data as never, found.width, found.height), 0, 0);
    const place = fitted([found.width, found.height], box, lens);
    context.imageSmoothingEnabled = place.zoom < 1;
    context.drawImage(whole, place.left, place.top, place.width, place.height);
  }, [one, other, gain, box[0], box[1], lens, dark.value]);
  return <canvas ref={canvas} class="drawing" role="img" aria-label={t("Difference")} style={{ height: `${box[1]}px` }} />;
}

function DifferenceText({ one, other }: { one: Loaded | undefined; other: Loaded | undefined }) {
  if (!one || !other) return null;
  const found: Difference = differenceOf(one.pixels, other.pixels, 1);
  return (
    <p class="note" data-differing={found.differing}>
      {t("{n} of {total} pixels differ, by {most} of 255 at most", { n: found.differing, total: found.width * found.height, most: found.most })}
      {one.size.join() !== other.size.join() && ` · ${t("the images differ in size: {sizes}", { sizes: `${one.size.join("×")}, ${other.size.join("×")}` })}`}
    </p>
  );
}
