// In: a packed job and what its cluster is to have. Out: KubeRay's RayJob for it, as YAML, beside the zip that it names.
import type { RemoteRecord } from "./record";

/** What Kubernetes gives the job. */
export interface ManifestOptions {
  /** Where the cluster finds the zip: an address that Ray's runtime environments read (s3://…, gs://…, https://…). */
  readonly package: string;
  /** Container image with Ray and remote/python/requirements.txt. */
  readonly image: string;
  readonly ray_version: string;
  readonly namespace?: string;
  /** Memory of each pod, as Kubernetes writes it. */
  readonly memory: string;
  /** A persistent volume claim, mounted where the storage is. */
  readonly claim?: string;
  /** Requirements for Ray to install; none where the image has them. */
  readonly pip: readonly string[];
  /** Minutes that the cluster stays after the job, so that the result can be fetched. */
  readonly keep_minutes: number;
}

/**
 * The RayJob: a head that computes nothing, one pod a worker, the job under the id that we come back to it by.
 *
 * Reference: KubeRay, ray.io/v1 RayJob (ray-operator/config/crd/bases/ray.io_rayjobs.yaml).
 */
export async function rayJob(record: RemoteRecord, options: ManifestOptions): Promise<string> {
  const { stringify } = await import("yaml");
  const { submission_id, settings, config } = record;
  const { workers, gpus_per_worker, cpus_per_worker } = settings;
  const runtime = { working_dir: options.package, ...(options.pip.length > 0 && { pip: options.pip }) };
  const manifest = {
    apiVersion: "ray.io/v1",
    kind: "RayJob",
    metadata: {
      name: resourceName(submission_id),
      ...(options.namespace && { namespace: options.namespace }),
      labels: { "app.kubernetes.io/name": "rewardbook", "app.kubernetes.io/instance": resourceName(config.run) },
    },
    spec: {
      jobId: submission_id,
      entrypoint: "python main.py job.json",
      runtimeEnvYAML: stringify(runtime),
      metadata: { run: config.run, rewardbook: "train" },
      // A lost worker is Ray's to replace; a new cluster would begin from the storage's last checkpoint.
      backoffLimit: 0,
      shutdownAfterJobFinishes: true,
      ttlSecondsAfterFinished: 60 * options.keep_minutes,
      rayClusterSpec: {
        rayVersion: options.ray_version,
        headGroupSpec: {
          rayStartParams: { "dashboard-host": "0.0.0.0", "num-cpus": "0" },
          template: pod("ray-head", { cpus: 2, gpus: 0 }, options, settings.storage),
        },
        workerGroupSpecs: [
          {
            groupName: "workers",
            replicas: workers,
            minReplicas: workers,
            maxReplicas: workers,
            rayStartParams: {},
            template: pod("ray-worker", { cpus: cpus_per_worker, gpus: gpus_per_worker }, options, settings.storage),
          },
        ],
      },
    },
  };
  return stringify(manifest, { aliasDuplicateObjects: false });
}

/** Kubernetes' names: small letters, digits, dashes; with room for what KubeRay adds. */
const LONGEST_NAME = 47;
export const resourceName = (text: string): string =>
  text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .slice(-LONGEST_NAME)
    .replace(/^-+|-+$/g, "");

function pod(
  name: string,
  { cpus, gpus }: { readonly cpus: number; readonly gpus: number },
  { image, memory, claim }: ManifestOptions,
  storage: string,
) {
  const resources = { cpu: String(cpus), memory, ...(gpus > 0 && { "nvidia.com/gpu": String(gpus) }) };
  return {
    spec: {
      containers: [
        {
          name,
          image,
          resources: { requests: resources, limits: resources },
          ...(claim && { volumeMounts: [{ name: "storage", mountPath: storage }] }),
        },
      ],
      ...(claim && { volumes: [{ name: "storage", persistentVolumeClaim: { claimName: claim } }] }),
    },
  };
}
