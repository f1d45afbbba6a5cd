// In: what a step will need. Out: nothing, or one plain line: TensorFlow ends the whole process where memory is refused.
import { readFileSync } from "node:fs";
import { freemem, totalmem } from "node:os";
import { InputError } from "../errors";

export interface MemoryRoom {
  /** Bytes that can still be filled: free on the machine, or left of the container's limit. */
  readonly free: number;
  /** Bytes of address space that can still be reserved (`ulimit -v`). */
  readonly addresses: number;
}

/** What the machine, the container and the limits leave this process; Infinity where nothing limits it. */
export function memoryRoom(): MemoryRoom {
  const limit = process.constrainedMemory();
  const contained = limit > 0 && limit < totalmem() ? limit - process.memoryUsage.rss() : Infinity;
  return { free: Math.min(freemem(), contained), addresses: addressLimit() - reservedAddresses() };
}

/** Whether the address space is limited at all: browsers and WebAssembly reserve far more of it than they fill. */
export const limitsAddresses = (): boolean => addressLimit() < Infinity;

const proc = (name: string): string => {
  try {
    return readFileSync(`/proc/self/${name}`, "utf8");
  } catch {
    return ""; // not Linux: nothing is known, nothing is refused
  }
};
const addressLimit = (): number => Number(/^Max address space\s+(\d+)/m.exec(proc("limits"))?.[1] ?? Infinity);
const reservedAddresses = (): number => 1024 * Number(/^VmSize:\s+(\d+) kB/m.exec(proc("status"))?.[1] ?? 0);

const gigabytes = (bytes: number): string => `${(Math.max(0, bytes) / 1e9).toFixed(1)} GB`;

/**
 * Makes sure there is room before it is asked for.
 *
 * @param what  named in the message
 * @param needs bytes: `free` are filled, `addresses` reserved
 * @throws InputError with what there is and the remedy
 */
export function checkMemory(what: string, needs: Partial<MemoryRoom>, room: MemoryRoom = memoryRoom()): void {
  const { free = 0, addresses = 0 } = needs;
  if (room.free < free)
    throw new InputError(
      `memory: expected ${gigabytes(free)} free for ${what}, got ${gigabytes(room.free)}; close other programs, raise the container's limit, or take a smaller model`,
    );
  if (room.addresses < addresses)
    throw new InputError(
      `memory: expected ${gigabytes(addresses)} of address space for ${what}, got ${gigabytes(room.addresses)}; raise the limit (ulimit -v unlimited), or take a smaller model`,
    );
}
