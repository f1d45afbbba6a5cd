// In: a line about the kernel itself. Out: the line in Jupyter's log, not in a cell.

/** `console` belongs to the cells. */
export const log = (line) => /** @type {any} */ (process)._rawDebug(`[kernel] ${line}`);
