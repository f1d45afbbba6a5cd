// The two kinds of error a user can mend, and the stop they asked for. Everything else is our fault (exit code 70).
import { printable } from "./terminal";

/** The input is at fault (exit code 1): the message reads `where: expected X, got Y; do Z`. */
export class InputError extends Error {
  override readonly name = "InputError";
  constructor(message: string, options?: ErrorOptions) {
    super(printable(message), options); // it may quote names and values of a file
  }
}

/** The user stopped the work; the message says what was done and how to go on, `cause` what asked for it where that is known. */
export class Interrupted extends Error {
  override readonly name = "Interrupted";
}

/** The command line or the configuration is at fault (exit code 2). */
export class UsageError extends Error {
  override readonly name = "UsageError";
  constructor(message: string, options?: ErrorOptions) {
    super(printable(message), options);
  }
}
