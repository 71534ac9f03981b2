// Masks and boxes over images, and the switches for them.
import { type ReadonlySignal, signal, useComputed, useSignal, useSignalEffect } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { short } from "../format";
import { mark, t } from "../language";
import { show, toggled, view } from "../view";
import { ANY, BARE, contentOf, layerAddress, layerNames, type Layers, layersShown, type Place, readLayers } from "./records";

const WORDS: Record<string, string> = { label: mark("label"), prediction: mark("prediction"), difference: mark("where they differ"), mask: mark("mask"), boxes: mark("boxes") };
const FEW = 9; // layers that have a key

/** Some image of the page has layers. */
export const hasLayers = signal(false);

/** Names of the layers of all images that were in view, those of boxes alone, and whether boxes have scores. */
const names = signal<string[]>([]);
const boxed = signal<string[]>([]);
const scored = signal(false);

/** The address of an image as it is shown: the bare one under layers. */
export function shownAddress(record: Place): string {
  return view.value.layers.length ? record.bare : record.address;
}

/** The layers of an image, if they are to be drawn (`always`, or where the page switches them on) and it has some. */
export function useLayers({ layers }: Pick<Place, "layers">, always = false): ReadonlySignal<Layers | null> {
  const wanted = useSignal("");
  useEffect(() => { wanted.value = layers ?? ""; }, [layers]);
  const found = useSignal<Layers | null>(null);
  const on = useComputed(() => always || view.value.layers.length > 0);
  useSignalEffect(() => {
    const place = wanted.value;
    if (!on.value || !place) {
      found.value = null;
      return;
    }
    let current = true;
    contentOf(place, readLayers).then(
      (layers) => {
        if (!current) return;
        found.value = layers.size[0] ? layers : null;
        const known = names.peek();
        const others = layerNames(layers).filter((name) => !known.includes(name));
        if (others.length) names.value = [...known, ...others];
        const masks = new Set(layers.masks);
        const now = [...new Set([...boxed.peek(), ...others])].filter((name) => !masks.has(name) && (name in layers.boxes || boxed.peek().includes(name)));
        if (now.join("\n") !== boxed.peek().join("\n")) boxed.value = now;
        if (Object.values(layers.boxes).some((boxes) => boxes.some(({ score }) => score !== null))) scored.value = true;
      },
      () => { if (current) found.value = null; },
    );
    return () => { current = false; };
  });
  return found;
}

interface Where {
  width: number;
  height: number;
  left: number;
  top: number;
  zoom: number;
}

/** What lies over an image that is shown at a place of its box. */
export function Overlay({ record, layers, place, label }: { record: Pick<Place, "layers">; layers: Layers; place: Where; label: string }) {
  const { layers: chosen, least, opacity } = view.value;
  const shown = layersShown(layers, chosen.length ? chosen : [ANY]);
  const style = { width: `${place.width}px`, height: `${place.height}px`, left: `${place.left}px`, top: `${place.top}px` };
  const from = least ?? layers.threshold;
  const [height, width] = layers.size;
  const boxes = shown.flatMap((name) => (layers.boxes[name] ?? []).filter(({ score }) => score === null || score >= from).map((box) => ({ ...box, name })));
  return (
    <>
      {shown.filter((name) => layers.masks.includes(name)).map((name) => (
        <img key={name} loading="lazy" class="placed pixels over-image" draggable={false} data-layer={name} src={layerAddress(record.layers ?? "", name)} alt={`${label}, ${wordOf(name)}`} style={{ ...style, opacity: opacity / 100 }} />
      ))}
      {boxes.length > 0 && (
        <svg class="placed over-image" viewBox={`0 0 ${width} ${height}`} preserveAspectRatio="none" style={style} role="img" aria-label={boxes.map(({ name, text, score }) => `${wordOf(name)} ${text}${score === null ? "" : ` ${short(score)}`}`).slice(0, 20).join(", ")}>
          {boxes.map(({ place: [left = 0, top = 0, right = 0, bottom = 0], color, name }, at) => (
            <rect key={at} data-layer={name} x={left} y={top} width={Math.max(right - left, 0)} height={Math.max(bottom - top, 0)} fill="none" stroke={color} stroke-width={2} stroke-dasharray={name === "label" ? "6 4" : undefined} vector-effect="non-scaling-stroke" />
          ))}
        </svg>
      )}
      {place.width > 180 && boxes.map(({ place: [left = 0, top = 0], color, text, score, name }, at) => (
        <span key={at} class="box-text over-image" style={{ left: `${place.left + (left / width) * place.width}px`, top: `${place.top + (top / height) * place.height}px`, borderColor: color }} data-layer={name} aria-hidden="true">{text} {score === null ? "" : score.toFixed(2)}</span>
      ))}
    </>
  );
}

function wordOf(name: string): string {
  return t(WORDS[name] ?? name);
}

/** What the colours of masks mean. */
export function Legend({ record, always = false }: { record: Pick<Place, "layers">; always?: boolean }) {
  const layers = useLayers(record, always).value;
  if (!layers?.classes.length) return null;
  return <p class="legend">{layers.classes.slice(0, 40).map(({ number, name, color }) => <span key={number}><i style={{ background: color }} aria-hidden="true" /> <bdi>{name}</bdi></span>)}</p>;
}

/** Show layers, or pictures as they were recorded. */
function toggleLayers(): void {
  show({ layers: view.peek().layers.length ? [] : [ANY] });
}

/** Switch one layer of those that are shown. */
function toggleLayer(name: string): void {
  const { layers } = view.peek();
  const now = layers.includes(ANY) || !layers.length ? names.peek().filter((each) => shownFirst(each)) : layers.filter((each) => each !== BARE);
  show({ layers: [BARE, ...toggled(now, name)] });
}

/** Whether a layer is shown unless others are chosen; as `layersShown`. */
function shownFirst(name: string): boolean {
  const all = names.peek();
  return name === "prediction" || name === "boxes" || name === "mask" || boxed.value.includes(name) || (!all.includes("prediction") && name === all[0]);
}

/** Keys of layers: L for all, digits for each; true: the key was used. */
export function pressLayers(key: string): boolean {
  if (!hasLayers.peek()) return false;
  if (key === "l" || key === "L") toggleLayers();
  else {
    const name = /^[1-9]$/.test(key) && view.peek().layers.length ? names.peek()[Number(key) - 1] : undefined;
    if (name === undefined) return false;
    toggleLayer(name);
  }
  return true;
}

/** The switches of the layers of all images; `always`: of images that are bare by themselves. */
export function LayerSwitches({ always = false }: { always?: boolean }) {
  const { layers, least, opacity } = view.value;
  if (!hasLayers.value) return null;
  const on = always || layers.length > 0;
  const isOn = (name: string) => (layers.includes(ANY) || !layers.length ? shownFirst(name) : layers.includes(name));
  return (
    <span class="layers" role="group" aria-label={t("Layers of images")}>
      {always ? t("Layers") : <label class="check" title={`${t("Masks and boxes apart from the image")} ( L )`}><input type="checkbox" checked={on} onChange={toggleLayers} /> {t("Layers")}</label>}
      {on && names.value.map((name, at) => <button key={name} aria-pressed={isOn(name)} title={at < FEW ? `${wordOf(name)} ( ${at + 1} )` : wordOf(name)} onClick={() => toggleLayer(name)}><bdi>{wordOf(name)}</bdi></button>)}
      {on && <label>{t("Opacity")} <input type="range" min={5} max={100} step={5} value={opacity} aria-valuetext={`${opacity} %`} onInput={(event) => show({ opacity: Number(event.currentTarget.value) })} /></label>}
      {on && scored.value && (
        <label>{t("Score from")} <input type="range" min={0} max={1} step={0.01} value={least ?? 0} aria-valuetext={least === null ? t("as recorded") : least.toFixed(2)} onInput={(event) => show({ least: Number(event.currentTarget.value) })} /> <output>{least === null ? t("auto") : least.toFixed(2)}</output></label>
      )}
    </span>
  );
}
