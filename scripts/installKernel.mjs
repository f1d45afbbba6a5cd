#!/usr/bin/env node
// Makes the TypeScript kernel known to every Jupyter of this user, VS Code's too: npm run kernel; npm run kernel -- --uninstall
import { installForUser, uninstallForUser, userKernelFolder } from "./setup/kernelSpec.mjs";
import { setupOrExit } from "./setup.mjs";

const args = process.argv.slice(2);
const unknown = args.find((word) => word !== "--uninstall");
if (unknown) {
  const help = unknown === "--help" || unknown === "-h";
  (help ? console.log : console.error)(
    `${help ? "" : `npm run kernel: expected --uninstall or nothing, got ${unknown}\n`}` +
      `npm run kernel                  installs the kernel for this user, in ${userKernelFolder()}\n` +
      "npm run kernel -- --uninstall   takes it away again",
  );
  process.exit(help ? 0 : 2);
}
if (args.length) {
  const folder = uninstallForUser();
  console.log(folder ? `Removed the kernel from ${folder}` : `No kernel of ours in ${userKernelFolder()}`);
} else {
  await setupOrExit();
  console.log(`Kernel "Rewardbook (TypeScript)" installed in ${installForUser()}`);
  console.log("VS Code: reload the window, then choose it under Select Kernel → Jupyter Kernel.");
}
