// WAV files: their samples, and the extremes that a drawing needs.

export interface Wave {
  rate: number;
  channels: number;
  seconds: number;
  /** the first channel, from -1 to 1. */
  samples: Float32Array;
}

/** Read a WAV file of whole or floating-point samples; null for another file. */
export function readWave(file: ArrayBuffer): Wave | null {
  const bytes = new DataView(file);
  const word = (at: number) => String.fromCharCode(...new Uint8Array(file, at, 4));
  if (file.byteLength < 12 || word(0) !== "RIFF" || word(8) !== "WAVE") return null;
  let [format, channels, rate, bits] = [0, 0, 0, 0];
  for (let at = 12; at + 8 <= file.byteLength; ) {
    const [name, size] = [word(at), bytes.getUint32(at + 4, true)];
    const start = at + 8;
    if (name === "fmt " && start + 16 <= file.byteLength) {
      [format, channels, rate, bits] = [bytes.getUint16(start, true), bytes.getUint16(start + 2, true), bytes.getUint32(start + 4, true), bytes.getUint16(start + 14, true)];
      if (format === 0xfffe && size >= 26) format = bytes.getUint16(start + 24, true);
    } else if (name === "data") {
      const wide = bits / 8;
      const read = readerOf(bytes, format, bits);
      if (!read || !channels || !rate) return null;
      const frames = Math.floor(Math.min(size, file.byteLength - start) / (wide * channels));
      const samples = Float32Array.from({ length: frames }, (_, frame) => read(start + frame * wide * channels));
      return { rate, channels, seconds: frames / rate, samples };
    }
    at = start + size + (size % 2);
  }
  return null;
}

function readerOf(bytes: DataView, format: number, bits: number): ((at: number) => number) | null {
  if (format === 3 && bits === 32) return (at) => bytes.getFloat32(at, true);
  if (format !== 1) return null;
  if (bits === 8) return (at) => (bytes.getUint8(at) - 128) / 128;
  if (bits === 16) return (at) => bytes.getInt16(at, true) / 32768;
  if (bits === 24) return (at) => ((bytes.getInt8(at + 2) << 16) | bytes.getUint16(at, true)) / 8388608;
  if (bits === 32) return (at) => bytes.getInt32(at, true) / 2147483648;
  return null;
}

/** The least and greatest sample of each of `width` equal parts, one after the other. */
export function extremesOf(samples: Float32Array, width: number): Float32Array {
  const found = new Float32Array(2 * width);
  for (let at = 0; at < width; at += 1) {
    const start = Math.floor((at * samples.length) / width);
    const end = Math.max(Math.floor(((at + 1) * samples.length) / width), start + 1);
    let [least, most] = [Infinity, -Infinity];
    for (let place = start; place < end && place < samples.length; place += 1) {
      const sample = samples[place] as number;
      if (sample < least) least = sample;
      if (sample > most) most = sample;
    }
    found.set(least <= most ? [least, most] : [0, 0], 2 * at);
  }
  return found;
}
