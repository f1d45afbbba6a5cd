// In: whole numbers one after another. Out: the same by their place, four bytes each.

/** Numbers below 2^31 that can be changed. */
export interface WholeNumbers {
  readonly length: number;
  /** @returns the place of the number */
  push(value: number): number;
  get(place: number): number;
  set(place: number, value: number): void;
}

export function createWholeNumbers(): WholeNumbers {
  let data = new Int32Array(1024);
  let length = 0;
  return {
    get length() {
      return length;
    },
    push(value) {
      if (length === data.length) {
        const larger = new Int32Array(length * 2);
        larger.set(data);
        data = larger;
      }
      data[length] = value;
      return length++;
    },
    get: (place) => data[place],
    set: (place, value) => void (data[place] = value),
  };
}
