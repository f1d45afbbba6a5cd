// In: split pairs, the configuration, what the cluster is to have. Out: a RayJob and the zip it names; the run waits for it.
import { rm } from "node:fs/promises";
import { dirname } from "node:path";
import { UsageError } from "../lib/errors";
import { writeFileAtomically } from "../lib/files/atomic";
import { checkWritable } from "../lib/files/writable";
import { lockRun } from "../lib/runs/lock";
import { openRequest, type TrainingRequest } from "../lib/training/data";
import { requirements } from "./jobFolder";
import { rayJob, type ManifestOptions } from "./manifest";
import { prepareJob } from "./prepareJob";
import { isLocal } from "./runJob";
import { remoteTrainingSchema, resolveRemote, type RemoteTrainingInput } from "./settings";
import { zipFolder } from "./zip";

export interface ManifestInput extends Omit<ManifestOptions, "pip"> {
  readonly out: string;
  /** Where to write the zip here. */
  readonly zip: string;
}

/** @returns the job's id */
export async function writeManifest(
  request: TrainingRequest,
  where: RemoteTrainingInput,
  { out, zip, ...options }: ManifestInput,
  say: (text: string) => void,
): Promise<string> {
  const settings = resolveRemote(remoteTrainingSchema, where);
  if (isLocal(settings))
    throw new UsageError("--address: expected where Ray's dashboard will be, got local; leave it out");
  if (options.claim && !settings.storage.startsWith("/"))
    throw new UsageError(
      `--storage: expected the path at which the claim is mounted, got ${JSON.stringify(settings.storage)}; give --storage /PATH`,
    );
  if (!/^[a-z][a-z0-9+.-]*:\/\/.+\.zip$/i.test(options.package))
    throw new UsageError(
      `--package: expected an address that ends in .zip, such as s3://BUCKET/job.zip, got ${JSON.stringify(options.package)}; it is where you put the zip`,
    );
  await checkWritable(out, zip);
  const { config, data } = openRequest(request);
  const lock = lockRun(config.run);
  try {
    const { record, folder } = await prepareJob({ given: config, data, settings, say });
    if (folder === null)
      throw new UsageError(
        `run ${config.run}: expected one whose job is not there yet, got one that runs; rewardbook remote logs --run ${config.run} follows it`,
      );
    try {
      await zipFolder(folder, zip);
      const pip = settings.install ? await requirements() : [];
      await writeFileAtomically(out, await rayJob(record, { ...options, pip }));
    } finally {
      await rm(dirname(folder), { recursive: true, force: true });
    }
    return record.submission_id;
  } finally {
    lock.release();
  }
}
