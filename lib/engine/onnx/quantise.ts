// In: rows of numbers. Out: the same in 8 bits, with a scale a row.

/** Largest magnitude of a stored number. */
export const LARGEST = 127;

export interface QuantisedRows {
  readonly values: Int8Array;
  readonly scales: Float32Array;
}

/** values[i]·scales[row] ≈ numbers[i], the scale of a row its largest magnitude over 127; rows of zeros have scale 1. */
export function quantiseRows(numbers: Float32Array, columns: number): QuantisedRows {
  const values = new Int8Array(numbers.length);
  const scales = new Float32Array(numbers.length / columns);
  for (let row = 0; row < scales.length; row++) {
    const [start, end] = [row * columns, (row + 1) * columns];
    let largest = 0;
    for (let i = start; i < end; i++) largest = Math.max(largest, Math.abs(numbers[i]));
    scales[row] = largest === 0 ? 1 : largest / LARGEST;
    for (let i = start; i < end; i++) values[i] = Math.round(numbers[i] / scales[row]);
  }
  return { values, scales };
}

/** What stands for 0 in `unsignedBytes`. */
export const MIDDLE = 128;

/**
 * The same numbers without a sign: processors without VNNI (AVX2) multiply unsigned bytes by signed ones in 16 bits, which
 * overflow, and unsigned ones by unsigned ones without. The other remedy, 7 bits (onnxruntime's `reduce_range`), is less exact.
 */
export const unsignedBytes = (values: Int8Array): Uint8Array => Uint8Array.from(values, (value) => value + MIDDLE);
