// In: a run's name, or an address and perhaps a job's id. Out: the head and the job that are meant.
import { InputError } from "../lib/errors";
import { connectTo } from "./connection";
import { openHead, type Head } from "./head";
import { requireRecord } from "./record";
import { isLocal } from "./runJob";

/** How a command line names a job. */
export interface JobPlace {
  readonly run?: string;
  readonly address?: string;
  readonly ca?: string;
  readonly id?: string;
}

/** @returns the id of the run's job; null where a whole cluster is meant */
export function placeOfJob({ run, address, ca, id }: JobPlace): {
  head: Head;
  id: string | null;
} {
  if (run === undefined) return { head: openHead(connectTo(address ?? "", ca)), id: id ?? null };
  const { settings, submission_id } = requireRecord(run);
  if (isLocal(settings))
    throw new InputError(
      `run ${run}: expected a job on a cluster, got one of this machine, which ends with its command`,
    );
  return { head: openHead(connectTo(address ?? settings.address, ca ?? settings.ca)), id: submission_id };
}
