// Which precision the other side gets. Figures: ENGINE measurements of a processor with bf16 instructions and one that emulates them.
import { expect, test } from "vitest";
import { betterOf } from "../../bench/precision";

test("bf16 only where a bare product is clearly faster in it", () => {
  expect(betterOf({ f32: 2 / 400, bf16: 2 / 850 })).toBe("bf16");
  expect(betterOf({ f32: 2 / 97, bf16: 2 / 93 })).toBe("f32");
  expect(betterOf({ f32: 1, bf16: 0.9 })).toBe("f32");
});
