// The RayJob of a hand-over against what KubeRay's published schema says; the zip against Python's zipfile.
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Ajv from "ajv";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { initBackend } from "../../lib/engine/backend";
import { readRecord } from "../../remote/record";
import { writeManifest } from "../../remote/writeManifest";
import { saveTinyModel, writeTinyPairs } from "../training/tinyRun";
import { rayJobSchema } from "./rayJobSchema";

const home = process.cwd();
const folder = mkdtempSync(join(tmpdir(), "rewardbook-manifest-"));
let manifest: Record<string, never> & { spec: Record<string, string>; metadata: { name: string } };
let id = "";

beforeAll(async () => {
  process.chdir(folder);
  await initBackend();
  const request = { pairs: writeTinyPairs(folder), model: await saveTinyModel(folder), run: "Kube_1", max_length: 64 };
  const where = {
    address: "http://127.0.0.1:8265",
    workers: 4,
    gpus_per_worker: 1,
    storage: "/mnt/all",
    install: true,
  };
  const kube = { ray_version: "2.60.0", memory: "32Gi", claim: "all", keep_minutes: 30, namespace: "teams" };
  const files = { out: join(folder, "job.yaml"), zip: join(folder, "job.zip") };
  const place = { package: "s3://bucket/job.zip", image: "rayproject/ray:2.60.0-gpu" };
  process.env.RAY_AUTH_TOKEN = "s3cret";
  id = await writeManifest({ ...request, batch_size: 16 }, where, { ...kube, ...files, ...place }, () => {});
  delete process.env.RAY_AUTH_TOKEN;
  manifest = parse(readFileSync(files.out, "utf8"));
});
afterAll(() => {
  process.chdir(home);
  rmSync(folder, { recursive: true });
});

describe("the RayJob", () => {
  it("is one by the published schema", () => {
    const validate = new Ajv({ allErrors: true }).compile(rayJobSchema);
    expect(validate(manifest) ? [] : validate.errors).toEqual([]);
    expect(validate({ ...manifest, spec: { ...manifest.spec, entryPoint: "x" } })).toBe(false);
  });

  it("runs the packed job under the id that the run comes back to it by", () => {
    expect(manifest.spec.jobId).toBe(id);
    expect(readRecord("Kube_1")!.submission_id).toBe(id);
    expect(manifest.spec.entrypoint).toBe("python main.py job.json");
    const runtime = parse(manifest.spec.runtimeEnvYAML) as { working_dir: string; pip: string[] };
    expect(runtime.working_dir).toBe("s3://bucket/job.zip");
    expect(runtime.pip).toContain("trl==1.16.0");
    expect(manifest.metadata.name).toMatch(/^rewardbook-kube-1-[0-9a-f]{8}-a1$/);
  });

  it("holds no secret", () => {
    for (const file of ["job.yaml", join("metrics", "Kube_1", "remote", "job.json")])
      expect(readFileSync(join(folder, file), "utf8")).not.toContain("s3cret");
  });
});

describe("the zip", () => {
  const read = "import sys, zipfile; z = zipfile.ZipFile(sys.argv[1]); bad = z.testzip(); assert bad is None, bad\n";
  const python = (code: string) =>
    execFileSync("python3", ["-c", `${read}${code}`, join(folder, "job.zip")], { encoding: "utf8" });

  it("holds the program, the model with its head, and the pairs by their token ids", () => {
    const names = python("print('\\n'.join(z.namelist()))").split("\n");
    for (const name of [
      "main.py",
      "job.json",
      "model/model.safetensors",
      "model/config.json",
      "train.jsonl",
      "val.jsonl",
    ])
      expect(names).toContain(name);
    const job = JSON.parse(python("print(z.read('job.json').decode())"));
    expect(job).toMatchObject({ format: 1, kind: "train", run: "Kube_1", submission_id: id, storage: "/mnt/all" });
    expect(job.training).toMatchObject({ batch_pairs: 16, epochs: 2, clip_norm: 1, max_steps: null, lora: null });
    expect(job.model.dtype).toBe("bfloat16"); // GPUs, and nothing else was asked for
    const row = JSON.parse(python("print(z.read('train.jsonl').decode().split('\\n')[0])"));
    expect(row.chosen_input_ids.at(0)).toBe(row.rejected_input_ids.at(0)); // [CLS]
    expect([1, 2.5]).toContain(row.weight); // 1 + 3 · penalty
    expect(existsSync("model")).toBe(false);
  });
});
