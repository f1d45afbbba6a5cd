// rewardbook remote manifest: the same training as a RayJob for KubeRay, and the zip that it runs.
import type { Command } from "commander";
import { InvalidArgumentError } from "commander";
import { remoteTrainingSchema, type RemoteTrainingInput } from "../remote/settings";
import { addConfigFlags, addSchemaFlags, configFromFlags, fieldsFromFlags } from "./flags";
import { createOutput } from "./output";

/** Where a port-forward of the head's service answers. */
const FORWARDED = "http://127.0.0.1:8265";

export function register(remote: Command): void {
  const command = remote
    .command("manifest")
    .description("write a RayJob for KubeRay and its zip; after kubectl apply, remote logs --run NAME comes back to it")
    .requiredOption("--out <file>", "YAML file to write")
    .requiredOption("--zip <file>", "zip file to write: the job's working directory")
    .requiredOption("--package <url>", "where you put that zip for the cluster: s3://…/job.zip, gs://…, https://…")
    .requiredOption("--image <name>", "container image with Ray and remote/python/requirements.txt (or --install)")
    .option("--ray-version <v>", "Ray's version in the image", "2.60.0")
    .option("--namespace <name>", "namespace (default: the one kubectl uses)")
    .option("--memory <quantity>", "memory of each pod", "16Gi")
    .option("--claim <name>", "persistent volume claim to mount at --storage (default: none)")
    .option(
      "--keep-minutes <n>",
      "how long the cluster stays after the job, so that its result can be fetched",
      minutes,
      60,
    )
    .option("--json", "print one JSON object on stdout");
  const { address: _, ...shape } = remoteTrainingSchema.shape;
  addSchemaFlags(command, shape).option("--address <text>", "where Ray's dashboard will be seen from here", FORWARDED);
  addConfigFlags(command).action(async (options) => {
    const out = createOutput(options.json === true);
    const { writeManifest } = await import("../remote/writeManifest");
    const where = fieldsFromFlags(options, remoteTrainingSchema.shape) as unknown as RemoteTrainingInput;
    const input = { ...options, ray_version: options.rayVersion, keep_minutes: options.keepMinutes };
    const submission_id = await writeManifest(configFromFlags(options), where, input, out.say);
    out.result({ submission_id, out: options.out, zip: options.zip }, [
      `written    ${options.out}, ${options.zip}`,
      `next       copy ${options.zip} to ${options.package}; kubectl apply -f ${options.out}`,
      `then       kubectl port-forward to the head's port 8265; rewardbook remote logs --run ${configFromFlags(options).run ?? "default"}`,
    ]);
  });
}

function minutes(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0) throw new InvalidArgumentError("expected a whole number");
  return value;
}
