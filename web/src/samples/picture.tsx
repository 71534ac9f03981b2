// The image of a sample, with the masks and boxes that are switched on.
import { useSignal } from "@preact/signals";
import { fitted, PLAIN_LENS } from "../media/lens";
import { Overlay, useLayers } from "../media/layers";
import type { InputImage } from "./answers";

const LIST = 64; // pixels of a picture that is one of a list

export function SamplePicture({ image, width, height, label }: { image: InputImage; width: number; height: number; label: string }) {
  const size = useSignal<[number, number] | null>(null);
  const layers = useLayers(image, true).value;
  const place = size.value && fitted(size.value, [width, height], PLAIN_LENS);
  return (
    <span class="lens" style={{ width: `${width}px`, height: `${height}px` }}>
      <img loading={width > LIST ? undefined : "lazy"} class={place && place.zoom > 1 ? "pixels" : ""} src={image.address} alt={label} onLoad={(event) => (size.value = [event.currentTarget.naturalWidth, event.currentTarget.naturalHeight])} />
      {layers && place && <Overlay record={image} layers={layers} place={place} label={label} />}
    </span>
  );
}
