// The client against a server that behaves as Ray's dashboard: refused browsers, lost connections, repeated submissions, tokens, TLS.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { randomBytes } from "node:crypto";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { connectTo } from "../../remote/connection";
import { followJob } from "../../remote/follow";
import { openHead, type Head } from "../../remote/head";
import { sha256, startHead, type HeadServer, type HeadServerOptions } from "./headServer";

const folder = mkdtempSync(join(tmpdir(), "rewardbook-head-"));
const at = (name: string) => join(folder, name);
const QUICK = { tries: 5, firstWaitMs: 5, silenceMs: 2000 };
const running: HeadServer[] = [];

async function start(options: HeadServerOptions = {}, env: Record<string, string> = {}): Promise<[HeadServer, Head]> {
  const server = await startHead(options);
  running.push(server);
  return [server, openHead(connectTo(server.address, undefined, { ...noToken, ...env }), QUICK)];
}
writeFileSync(at("none"), "");
const noToken = { RAY_AUTH_TOKEN_PATH: at("none") };
const job = (submission_id: string) => ({ submission_id, entrypoint: "true", runtime_env: {}, metadata: { run: "a" } });

afterEach(async () => {
  for (const server of running.splice(0)) await server.close();
});
afterAll(() => rmSync(folder, { recursive: true }));

describe("requests", () => {
  it("come through where fetch is refused", async () => {
    const [server, head] = await start();
    const refused = await fetch(`${server.address}/api/jobs/`, { method: "POST", body: JSON.stringify(job("x")) });
    expect(refused.status).toBe(405);
    expect(await head.submit(job("x"))).toBe(true);
    expect(server.jobs.size).toBe(1);
  });

  it("are tried again on a connection that breaks", async () => {
    const [server, head] = await start();
    server.cut.before = 3;
    expect(await head.version()).toBe("2.60.0");
    expect(server.requests).toHaveLength(4);
  });

  it("end in one clear message when the head is dead", async () => {
    const [server, head] = await start();
    await server.close();
    await expect(head.version()).rejects.toThrow(/expected a Ray head that answers, got .*ECONNREFUSED.*--resume/);
  });

  it("say so when something else answers", async () => {
    const [server, head] = await start();
    server.jobs.set("x", { status: "DANCING", body: {} });
    await expect(head.job("x")).rejects.toThrow(/expected the answer of a Ray head/);
  });
});

describe("submitting", () => {
  it("starts one job, however often it is repeated", async () => {
    const [server, head] = await start();
    expect(await head.submit(job("once"))).toBe(true);
    expect(await head.submit(job("once"))).toBe(false);
    expect(server.requests.filter(({ method }) => method === "POST")).toHaveLength(1);
  });

  it("starts one job where the head obeys and its answer is lost", async () => {
    const [server, head] = await start();
    server.cut.after = ["POST"];
    expect(await head.submit(job("once"))).toBe(true);
    expect([...server.jobs.keys()]).toEqual(["once"]);
    expect(server.requests.filter(({ method }) => method === "POST")).toHaveLength(2);
  });

  it("waits for a head that is just starting", async () => {
    const [server, head] = await start();
    server.starting = 3;
    expect(await head.submit(job("early"))).toBe(true);
    expect([...server.jobs.keys()]).toEqual(["early"]);
  });

  it("uploads a package once, byte for byte", async () => {
    const [server, head] = await start();
    const bytes = randomBytes(300_000);
    writeFileSync(at("job.zip"), bytes);
    server.cut.after = ["PUT"];
    await head.upload("a.zip", at("job.zip"));
    await head.upload("a.zip", at("job.zip"));
    expect(server.packages.get("a.zip")!.equals(bytes)).toBe(true);
    expect(server.requests.filter(({ method }) => method === "PUT")).toHaveLength(2);
  });
});

it("stops a job once, and says where there was nothing to stop", async () => {
  const [server, head] = await start();
  await head.submit(job("long"));
  expect(await head.stop("long")).toBe(true);
  expect(server.jobs.get("long")!.status).toBe("STOPPED");
  expect(await head.stop("long")).toBe(false);
});

describe("following", () => {
  const log = Array.from({ length: 40 }, (_, i) => `line ${i} “${"ä".repeat(i)}”\n`).join("");

  it("tells every line once, over connections that are lost midway", async () => {
    const [server, head] = await start();
    await head.submit(job("long"));
    server.log = log;
    server.cut.logAfter = [0, 100, 50, 333];
    const lines: string[] = [];
    const said: string[] = [];
    const end = await followJob(head, "long", {
      onLine: (line) => lines.push(line),
      onMessage: (text) => said.push(text),
      signal: new AbortController().signal,
      waitMs: 5,
    });
    expect(end.status).toBe("SUCCEEDED");
    expect(lines.join("\n") + "\n").toBe(log);
    expect(said).toHaveLength(4);
    expect(said[0]).toMatch(/was lost .*taking it up again/);
  });

  it("leaves the job alone when it is stopped", async () => {
    const [server, head] = await start();
    await head.submit(job("long"));
    server.log = log;
    server.cut.logAfter = Array.from({ length: 100 }, () => 100);
    const stop = new AbortController();
    const seen = { onLine: () => stop.abort(), onMessage: () => {}, signal: stop.signal, waitMs: 5 };
    await expect(followJob(head, "long", seen)).rejects.toThrow();
    expect(server.jobs.get("long")!.status).toBe("RUNNING");
  });

  it("says so when the cluster was started anew", async () => {
    const [, head] = await start();
    const seen = { onLine: () => {}, onMessage: () => {}, signal: new AbortController().signal, waitMs: 5 };
    await expect(followJob(head, "gone", seen)).rejects.toThrow(/does not know it.*--resume/);
  });
});

describe("fetching", () => {
  it("brings a file as it was, and nothing else", async () => {
    const [server, head] = await start();
    const bytes = randomBytes(500_000);
    server.files.set("rewardbook-x/model.safetensors", bytes);
    const file = {
      node_id: "n",
      log_file: "rewardbook-x/model.safetensors",
      bytes: bytes.length,
      sha256: sha256(bytes),
    };
    server.cut.before = 2;
    await head.download(file, at("in/model.safetensors"));
    expect(readFileSync(at("in/model.safetensors")).equals(bytes)).toBe(true);
    server.files.set(file.log_file, bytes.subarray(1));
    await expect(head.download(file, at("in/other"))).rejects.toThrow(
      /expected 500000 bytes as the job wrote them, got 499999/,
    );
    expect(() => readFileSync(at("in/other"))).toThrow();
  });
});

describe("tokens and TLS", () => {
  it("sends Ray's token and keeps it from every body and message", async () => {
    const [server, head] = await start({ token: "s3cret" }, { RAY_AUTH_TOKEN: "s3cret" });
    await head.submit(job("a"));
    expect(JSON.stringify([...server.jobs])).not.toContain("s3cret");
    const stranger = openHead(connectTo(server.address, undefined, { RAY_AUTH_TOKEN: "wr0ng" }), QUICK);
    const refused = await stranger.version().catch((error: Error) => error.message);
    expect(refused).toMatch(
      /expected a token that this cluster takes, got another token than the cluster's.*RAY_AUTH_TOKEN/,
    );
    expect(refused).not.toContain("wr0ng");
    const nobody = openHead(connectTo(server.address, undefined, noToken), QUICK);
    await expect(nobody.version()).rejects.toThrow(/got none; put it into RAY_AUTH_TOKEN/);
  });

  it("reads the token from the file that Ray names", async () => {
    writeFileSync(at("token"), "from-file\n");
    const { headers } = connectTo("https://head", undefined, { RAY_AUTH_TOKEN_PATH: at("token") });
    expect(headers).toEqual({ authorization: "Bearer from-file" });
  });

  it("sends no token in the clear to another machine, and takes no password in an address", () => {
    const env = { RAY_AUTH_TOKEN: "s3cret" };
    expect(() => connectTo("http://head:8265", undefined, env)).toThrow(/expected https:\/\//);
    expect(() => connectTo("http://127.0.0.1:8265", undefined, env)).not.toThrow();
    expect(() => connectTo("http://me:pass@head:8265", undefined, noToken)).toThrow(/without name, password/);
    expect(() => connectTo("http://me:pass@head:8265", undefined, noToken)).not.toThrow(/pass@/);
    expect(() => connectTo("head:8265", undefined, noToken)).toThrow(/expected http:\/\/HEAD:8265/);
  });

  it("trusts a certificate of one's own only when it is named", async () => {
    const words = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=head";
    const names = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", at("key.pem"), "-out", at("cert.pem")];
    execFileSync("openssl", [...words.split(" "), ...names], { stdio: "ignore" });
    const tls = { key: readFileSync(at("key.pem"), "utf8"), cert: readFileSync(at("cert.pem"), "utf8") };
    const [server, stranger] = await start({ tls, token: "s3cret" });
    await expect(stranger.version()).rejects.toThrow(/name the certificate to trust with --ca FILE/);
    const head = openHead(connectTo(server.address, at("cert.pem"), { RAY_AUTH_TOKEN: "s3cret" }), QUICK);
    await head.submit(job("safe"));
    server.log = "one\ntwo\n";
    const lines: string[] = [];
    const seen = {
      onLine: (line: string) => lines.push(line),
      onMessage: () => {},
      signal: new AbortController().signal,
    };
    await followJob(head, "safe", { ...seen, waitMs: 5 });
    expect(lines).toEqual(["one", "two"]);
    expect(server.requests.at(-2)?.headers.authorization).toBe("Bearer s3cret");
  });
});
