// What KubeRay's published schema of a RayJob (ray.io/v1, ray-operator/config/crd/bases/ray.io_rayjobs.yaml) says of the fields
// that a hand-over may write: their names, types and which are required. Of pods only those that ours have; nothing else passes.
const text = { type: "string" };
const whole = { type: "integer", minimum: -(2 ** 31), maximum: 2 ** 31 - 1 };
const flag = { type: "boolean" };
const number = { type: "number" };
const words = { type: "object", additionalProperties: text };
const closed = (properties: object, required: readonly string[] = []) => ({
  type: "object",
  properties,
  required,
  additionalProperties: false,
});
const list = (items: object) => ({ type: "array", items });

/** A Kubernetes quantity. */
const quantity = { anyOf: [whole, { type: "string", pattern: "^\\d+(\\.\\d+)?([KMGTPE]i|[numkMGTPE])?$" }] };
const amounts = { type: "object", additionalProperties: quantity };

const container = closed(
  {
    name: text,
    image: text,
    resources: closed({ limits: amounts, requests: amounts }),
    volumeMounts: list(closed({ mountPath: text, name: text, readOnly: flag, subPath: text }, ["mountPath", "name"])),
  },
  ["name"],
);
const volume = closed(
  { name: text, persistentVolumeClaim: closed({ claimName: text, readOnly: flag }, ["claimName"]) },
  ["name"],
);
const template = closed({
  metadata: closed({ annotations: words, labels: words, name: text, namespace: text }),
  spec: closed({ containers: list(container), volumes: list(volume), restartPolicy: text }, ["containers"]),
});

const headGroup = closed({ serviceType: text, enableIngress: flag, rayStartParams: words, template }, [
  "rayStartParams",
  "template",
]);
const workerGroup = closed(
  {
    groupName: text,
    replicas: whole,
    minReplicas: whole,
    maxReplicas: whole,
    numOfHosts: whole,
    rayStartParams: words,
    template,
  },
  ["groupName", "maxReplicas", "minReplicas", "rayStartParams", "template"],
);
const cluster = closed(
  {
    rayVersion: text,
    enableInTreeAutoscaling: flag,
    suspend: flag,
    headGroupSpec: headGroup,
    workerGroupSpecs: list(workerGroup),
  },
  ["headGroupSpec"],
);

export const rayJobSchema = closed(
  {
    apiVersion: { const: "ray.io/v1" },
    kind: { const: "RayJob" },
    metadata: closed(
      {
        // RFC 1123: a label, which KubeRay lengthens.
        name: { type: "string", pattern: "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", maxLength: 47 },
        namespace: text,
        labels: {
          type: "object",
          additionalProperties: {
            type: "string",
            pattern: "^([A-Za-z0-9]([-_.A-Za-z0-9]*[A-Za-z0-9])?)?$",
            maxLength: 63,
          },
        },
        annotations: words,
      },
      ["name"],
    ),
    spec: closed({
      activeDeadlineSeconds: whole,
      backoffLimit: whole,
      clusterSelector: words,
      entrypoint: text,
      entrypointNumCpus: number,
      entrypointNumGpus: number,
      entrypointResources: text,
      jobId: text,
      managedBy: text,
      metadata: words,
      rayClusterSpec: cluster,
      runtimeEnvYAML: text,
      shutdownAfterJobFinishes: flag,
      submissionMode: { enum: ["K8sJobMode", "HTTPMode", "InteractiveMode"] },
      suspend: flag,
      ttlSecondsAfterFinished: whole,
    }),
  },
  ["apiVersion", "kind", "metadata", "spec"],
);
