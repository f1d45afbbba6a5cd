// In: a run's name, or an address. Out: the head and the job that are meant.
import { InputError } from "../lib/errors";
import { connectTo } from "./connection";
import { openHead, type Head } from "./head";
import { requireRecord } from "./record";
import { isLocal } from "./runJob";

/** @returns the id of the run's job; null where a whole cluster is meant */
export function placeOfJob({ run, address, ca }: { run?: string; address?: string; ca?: string }): {
  head: Head;
  id: string | null;
} {
  if (run === undefined) return { head: openHead(connectTo(address ?? "", ca)), id: null };
  const { settings, submission_id } = requireRecord(run);
  if (isLocal(settings))
    throw new InputError(
      `run ${run}: expected a job on a cluster, got one of this machine, which ends with its command`,
    );
  return { head: openHead(connectTo(address ?? settings.address, ca ?? settings.ca)), id: submission_id };
}
