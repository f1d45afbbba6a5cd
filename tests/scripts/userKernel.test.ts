// `npm run kernel` as somebody with another Jupyter uses it: installed in a home folder, found and started from an unrelated one.
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";

const root = join(__dirname, "..", "..");
const home = mkdtempSync(join(tmpdir(), "rewardbook-home-"));
const elsewhere = mkdtempSync(join(tmpdir(), "rewardbook-elsewhere-"));
const kernels = join(home, ".local", "share", "jupyter", "kernels");

const START = `
from jupyter_client.manager import start_new_kernel
from jupyter_client.kernelspec import KernelSpecManager
print(KernelSpecManager().get_kernel_spec("rewardbook").resource_dir)
manager, client = start_new_kernel(kernel_name="rewardbook", startup_timeout=90)
client.execute_interactive("import { percent } from 'rewardbook';\\npercent(0.5)", timeout=60)
client.stop_channels()
manager.shutdown_kernel(now=True)
`;

function run(program: string, ...args: string[]): string {
  const { JUPYTER_DATA_DIR: _data, XDG_DATA_HOME: _xdg, JUPYTER_PATH: _path, ...others } = process.env;
  // the project's environment holds a kernel of this name, too: here the user's comes first
  const env = { ...others, HOME: home, JUPYTER_PREFER_ENV_PATH: "0" };
  return execFileSync(program, args, { cwd: elsewhere, env, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
}

afterAll(() => [home, elsewhere].forEach((folder) => rmSync(folder, { recursive: true, force: true })));

test("the kernel is installed for the user, runs in any folder, and is taken away again", () => {
  const install = join(root, "scripts", "installKernel.mjs");
  expect(run(process.execPath, install)).toContain(join(kernels, "rewardbook"));
  const [found, printed] = run(join(root, ".venv", "bin", "python"), "-c", START)
    .trim()
    .split("\n");
  expect(found).toBe(join(kernels, "rewardbook"));
  expect(printed).toBe("50.0%");
  run(process.execPath, install, "--uninstall");
  expect(existsSync(join(kernels, "rewardbook"))).toBe(false);
}, 120_000);
