// rewardbook remote status: the jobs of a cluster, or the one of a run.
import type { Command } from "commander";
import { UsageError } from "../lib/errors";
import type { HeadJob } from "../remote/head";
import { createOutput } from "./output";

export function register(remote: Command): void {
  addPlace(remote.command("status").description("jobs of a cluster, or the job of a run")).action(async (options) => {
    const out = createOutput(options.json === true);
    const { placeOfJob } = await import("../remote/jobs");
    const { head, id } = placeOfJob(options);
    const jobs = id === null ? await head.jobs() : [await head.job(id)].filter((job) => job !== null);
    if (id !== null && jobs.length === 0)
      out.say(`${head.connection.address}: does not know job ${id}: the cluster was started anew`);
    const ours = id === null ? jobs.filter((job) => job.submission_id?.startsWith("rewardbook-")) : jobs;
    out.result({ address: head.connection.address, jobs: ours }, ours.length ? ours.map(describe) : "no jobs");
  });
}

/** Which job is meant: of a run, or of a cluster. */
export function addPlace(command: Command): Command {
  return command
    .option("--run <name>", "name of a run that was handed over from here")
    .option("--address <text>", "Ray's dashboard, http://HEAD:8265 (default: where the run's job is)")
    .option("--ca <file>", "file of certificates (PEM) to trust for https (default: the system's, or the run's)")
    .option("--id <text>", "with --address: the job of this id (default: all that were handed over)")
    .option("--json", "print one JSON object on stdout")
    .hook("preAction", (_, action) => {
      const { run, address } = action.opts();
      if (run === undefined && address === undefined)
        throw new UsageError("expected --run NAME or --address URL, got neither; give one of them");
    });
}

function describe({ submission_id, status, message, start_time, end_time }: HeadJob): string {
  const began = start_time ? new Date(start_time).toISOString().slice(0, 19) : "not begun";
  const seconds = start_time ? ((end_time || Date.now()) - start_time) / 1000 : 0;
  const why = status === "FAILED" && message ? `  ${message.split("\n")[0].slice(0, 120)}` : "";
  return `${submission_id}  ${status}  ${began}  ${seconds.toFixed(0)} s${why}`;
}
