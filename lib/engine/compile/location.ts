// In: the current call stack. Out: which tfjs op is running and which line of user code called it.

const LIBRARY = /node_modules|node:internal|<anonymous>|[\\/]engine[\\/]compile[\\/]/;

/** `matMul, called at models/bert.ts:120:14`, as far as the stack tells. */
export function callSite(): string {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 80;
  const frames = (new Error().stack ?? "").split("\n").slice(1);
  Error.stackTraceLimit = limit;
  const line = frames.findIndex((frame) => !LIBRARY.test(frame));
  const wrapped = frames.slice(0, line < 0 ? undefined : line).map((frame) => /(\w+)__op\b/.exec(frame)?.[1]);
  const op = wrapped.filter(Boolean).at(-1); // the outermost: what the user called
  const where = line < 0 ? undefined : /\(?((?:file:\/\/)?[^\s()]+:\d+:\d+)\)?$/.exec(frames[line])?.[1];
  return [op ? `tf.${op}` : "tfjs", where ? `called at ${where}` : ""].filter(Boolean).join(", ");
}

/** Whether a function of this name or file is on the stack. */
export function calledFrom(name: RegExp): boolean {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 40;
  const stack = new Error().stack ?? "";
  Error.stackTraceLimit = limit;
  return name.test(stack);
}
