// The two kinds of error a user can mend. Everything else is our fault (exit code 70).

/** The input is at fault (exit code 1): the message reads `where: expected X, got Y; do Z`. */
export class InputError extends Error {
  override readonly name = "InputError";
}

/** The command line or the configuration is at fault (exit code 2). */
export class UsageError extends Error {
  override readonly name = "UsageError";
}
