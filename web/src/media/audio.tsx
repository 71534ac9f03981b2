// Sounds of several runs: their waves, which are played from where they are clicked.
import { signal, useComputed, useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { tint } from "../format";
import { t } from "../language";
import { dark } from "../store";
import { type Chosen, Drawing, Frame, Name, useChosen, useContents, useRecords } from "./frame";
import { readBytes } from "./records";
import { extremesOf, readWave, type Wave } from "./wave";

/** The sound that is played: one at a time. */
const played = signal<HTMLAudioElement | null>(null);

const readSound = async (got: Response): Promise<Wave | null> => readWave(await readBytes(got));

export function AudioTag({ tag }: { tag: string }) {
  const { host, found, trouble, left, more } = useRecords("audio", tag);
  const chosen = useChosen(found);
  const { contents, trouble: lost } = useContents(useComputed(() => chosen.value.map(({ record }) => record.address)), readSound);
  return (
    <Frame tag={tag} host={host} found={found.value} trouble={trouble.value || lost.value} left={left.value} more={more} wide>
      <div class="sounds">{chosen.value.map((one) => <Sound key={one.run.path} tag={tag} one={one} wave={contents.value.get(one.record.address) ?? null} />)}</div>
    </Frame>
  );
}

function Sound({ tag, one: { run, record, wanted }, wave }: { tag: string; one: Chosen; wave: Wave | null }) {
  const sound = useRef<HTMLAudioElement>(null);
  const place = useSignal(0);
  const playing = useSignal(false);
  const seconds = wave?.seconds ?? 0;
  useEffect(() => { place.value = 0; playing.value = false; }, [record.address]);
  const play = () => {
    const own = sound.current;
    if (!own) return;
    if (!own.paused) own.pause();
    else {
      if (played.value !== own) played.value?.pause();
      played.value = own;
      void own.play().catch(() => undefined);
    }
  };
  const seek = (to: number) => {
    const next = Math.min(Math.max(to, 0), seconds);
    place.value = next;
    if (sound.current) sound.current.currentTime = next;
  };
  const clock = (value: number) => `${Math.floor(value / 60)}:${(value % 60).toFixed(1).padStart(4, "0")}`;
  const draw = (context: CanvasRenderingContext2D, width: number, height: number) => {
    if (!wave) return;
    const columns = Math.max(Math.floor(width), 1);
    const all = extremesOf(wave.samples, columns);
    const gone = seconds ? (place.value / seconds) * width : 0;
    const middle = height / 2;
    for (let at = 0; at < columns; at += 1) {
      context.globalAlpha = at <= gone && place.value > 0 ? 1 : 0.5;
      context.fillStyle = tint(run.color, dark.value);
      const [least, most] = [all[2 * at] ?? 0, all[2 * at + 1] ?? 0];
      context.fillRect(at, middle - most * (middle - 2), 1, Math.max((most - least) * (middle - 2), 1));
    }
    context.globalAlpha = 1;
    context.fillStyle = dark.value ? "#e4e7eb" : "#1c2024";
    context.fillRect(gone, 0, 1, height);
  };
  return (
    <div class="sound" onClick={(event) => {
      const canvas = event.target as HTMLElement;
      if (canvas.tagName === "CANVAS") seek((event.offsetX / canvas.clientWidth) * seconds);
    }}>
      <p>
        <button class="icon" aria-label={playing.value ? t("Stop") : t("Play")} aria-pressed={playing.value} onClick={play}>{playing.value ? "❚❚" : "▶"}</button>
        <Name run={run} step={record.step} wanted={wanted} />
        <span class="fill" />
        <small><output>{clock(place.value)}</output> / {clock(seconds)} · {wave ? `${wave.rate} Hz, ${wave.channels === 1 ? t("mono") : t("{n} channels", { n: wave.channels })}` : ""}</small>
      </p>
      <Drawing height={64} label={`${tag}, ${run.name}: ${t("space plays, arrows move")}`} draw={draw} watch={[wave, place.value, dark.value]} onKey={(key) => {
        if (key === " ") play();
        else if (key === "ArrowLeft" || key === "ArrowRight") seek(place.value + (key === "ArrowLeft" ? -1 : 1) * seconds * 0.02);
        else return false;
        return true;
      }} />
      <audio ref={sound} preload="none" src={record.address} onPlay={() => (playing.value = true)} onPause={() => (playing.value = false)} onEnded={() => { playing.value = false; place.value = 0; }} onTimeUpdate={(event) => (place.value = event.currentTarget.currentTime)} />
    </div>
  );
}
