// In: numbers that were read. Out: nothing, or the error that names the first that is none.
import { InputError } from "../errors";

/** @param placeOf the place of a number, for the message. @throws InputError naming the first number that is NaN or infinite */
export function checkFinite(
  values: Float32Array,
  at: string,
  placeOf: (index: number) => string = (index) => `at position ${index}`,
): void {
  for (let i = 0; i < values.length; i++) {
    if (values[i] - values[i] !== 0)
      throw new InputError(
        `${at}: expected finite numbers, got ${values[i]} ${placeOf(i)}; ` +
          "the weights are damaged or training diverged",
      );
  }
}
