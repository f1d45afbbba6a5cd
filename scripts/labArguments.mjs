// In: the notebook to open first, the user's own words. Out: JupyterLab's arguments; it asks nobody for updates or news.
import { inRoot } from "./setup/steps.mjs";

/** JupyterLab as it comes asks PyPI for a newer version and the reader whether to fetch its news. */
export const NOTHING_FETCHED = [
  "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
  "--LabApp.news_url=None",
];

/** The user's words come last and win. */
export function labArguments({ first, others = [] }) {
  const asRoot = process.getuid?.() === 0 ? ["--allow-root"] : [];
  const opened = ["--ServerApp.root_dir", inRoot(), "--LabApp.default_url", `/lab/tree/notebooks/${first}.ipynb`];
  return [...opened, ...NOTHING_FETCHED, ...asRoot, ...others];
}
