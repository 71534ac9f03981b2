// Smoothing in the page: as VizKit's curves/smoothing.py.

/** A debiased exponential moving average; values that are not finite are kept and do not count. */
export function exponential(values: Float64Array, weight: number): Float64Array {
  let [sum, whole] = [0, 0];
  return values.map((value) => {
    if (!Number.isFinite(value)) return value;
    sum = weight * sum + value;
    whole = weight * whole + 1;
    return sum / whole;
  });
}
