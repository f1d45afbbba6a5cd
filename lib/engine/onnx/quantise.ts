// In: rows of numbers. Out: the same in 8 bits, with a scale a row.

/**
 * Largest magnitude of a stored number: 7 bits and a sign of the 8. Processors without VNNI (AVX2) add two products of
 * 8 bits in 16, which overflow with more; onnxruntime's `reduce_range` is the same remedy.
 */
const LARGEST = 63;

export interface QuantisedRows {
  readonly values: Int8Array;
  readonly scales: Float32Array;
}

/** values[i]·scales[row] ≈ numbers[i], the scale of a row its largest magnitude over 63; rows of zeros have scale 1. */
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
