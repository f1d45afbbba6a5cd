// In: a recorded program. Out: the program to emit, after the passes that the execution asks for, in their order.
import type { Execution } from "../choice";
import { toBf16 } from "./bf16";
import { geluAgain } from "./gelu";
import type { Program } from "./graph";
import { recompute } from "./recompute";
import { shortenRowDots } from "./rowDot";
import { simplify } from "./simplify";
import { scaleQueries } from "./softmax";
import { sumSquares } from "./sumSquares";

export function optimise(program: Program, { precision, xla }: Execution): Program {
  let result = scaleQueries(shortenRowDots(sumSquares(simplify(program))));
  result = precision === "bf16" ? toBf16(result) : geluAgain(result); // in bf16 it saves nothing at the peak
  // twice: what the first round recomputes is a producer for the second
  for (let round = 0; xla && round < 2; round++) result = recompute(result, { lossy: precision === "bf16" });
  return result;
}
