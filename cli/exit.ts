/** Exit codes of every command. */
export const EXIT = { done: 0, input: 1, usage: 2, gate: 3, ours: 70, SIGINT: 130, SIGTERM: 143 } as const;

/** Ends a command that did its work with a verdict other than "done". */
export class ExitWith extends Error {
  constructor(readonly code: number) {
    super(`exit ${code}`);
  }
}
