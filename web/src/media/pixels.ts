// The difference of two images.

export interface Pixels {
  width: number;
  height: number;
  /** red, green, blue and opacity of each pixel, row by row. */
  data: Uint8ClampedArray;
}

export interface Difference extends Pixels {
  /** pixels that are not equal. */
  differing: number;
  /** the greatest difference of a channel. */
  most: number;
}

/** The absolute difference of each channel, times `gain`; what only one image has differs from black. */
export function differenceOf(one: Pixels, other: Pixels, gain: number): Difference {
  const [width, height] = [Math.max(one.width, other.width), Math.max(one.height, other.height)];
  const data = new Uint8ClampedArray(4 * width * height);
  let [differing, most] = [0, 0];
  const value = (image: Pixels, x: number, y: number, channel: number) => (x < image.width && y < image.height ? (image.data[4 * (y * image.width + x) + channel] ?? 0) : 0);
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const at = 4 * (y * width + x);
      let largest = 0;
      for (let channel = 0; channel < 4; channel += 1) {
        const apart = Math.abs(value(one, x, y, channel) - value(other, x, y, channel));
        if (apart > largest) largest = apart;
        data[at + channel] = channel < 3 ? apart * gain : 255;
      }
      if (largest) differing += 1;
      if (largest > most) most = largest;
    }
  }
  return { width, height, data, differing, most };
}
