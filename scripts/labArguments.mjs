// In: the notebook to open first, the user's own words. Out: JupyterLab's arguments and environment; it asks nobody for updates or news.
import path from "node:path";
import { inRoot } from "./setup/steps.mjs";

/** JupyterLab as it comes asks PyPI for a newer version, and fetches its news where the reader agrees. */
export const NOTHING_FETCHED = [
  "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
  "--LabApp.news_url=None",
];

/** Where the page is told not to ask the reader whether to fetch news, which those arguments do not keep it from. */
export const labEnvironment = (env) => ({
  ...env,
  JUPYTER_CONFIG_PATH: [env.JUPYTER_CONFIG_PATH, inRoot("scripts", "jupyter")].filter(Boolean).join(path.delimiter),
});

/** The user's words come last and win. */
export function labArguments({ first, others = [] }) {
  const asRoot = process.getuid?.() === 0 ? ["--allow-root"] : [];
  const opened = ["--ServerApp.root_dir", inRoot(), "--LabApp.default_url", `/lab/tree/notebooks/${first}.ipynb`];
  return [...opened, ...NOTHING_FETCHED, ...asRoot, ...others];
}
