// The kinds of values in a run's files.
import { z } from "zod";

/** A number; not a number is written as null. */
export const measured = z
  .number()
  .nullable()
  .transform((value) => value ?? NaN);
export const interval = z.tuple([z.number(), z.number()]);
/** An object of items by name. `z.record` would lose a name such as `__proto__`, which a risk level may well be. */
export const recordOf = <S extends z.ZodType>(item: S, what: string) =>
  z.custom<Record<string, z.output<S>>>(
    (value) =>
      typeof value === "object" && value !== null && Object.values(value).every((one) => item.safeParse(one).success),
    `expected ${what} by name`,
  );
export const counts = recordOf(z.number(), "numbers");
