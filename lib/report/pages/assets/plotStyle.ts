// The style of figures in a page: reports and exported notebooks share it.
export const PLOT_STYLE = `
.plot-head { display: flex; flex-wrap: wrap; gap: .3rem .8rem; align-items: flex-start; justify-content: space-between; padding: .75rem .9rem .2rem; }
.plot-head > div:first-child { flex: 1 1 14rem; min-width: 0; }
.plot-title { font-weight: 650; font-size: 1rem; line-height: 1.3; margin: 0; max-width: none; overflow-wrap: anywhere; }
.plot-subtitle { color: var(--muted, #566172); font-size: .84rem; line-height: 1.35; margin: .1rem 0 0; max-width: none; overflow-wrap: anywhere; }
.plot-tools { display: flex; gap: .25rem; flex: none; }
button.plot-tool { font: 600 .74rem/1 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; color: var(--muted, #566172); background: transparent; border: 1px solid var(--line, #d9dfe6); border-radius: 5px; min-width: 1.9rem; height: 1.8rem; padding: 0 .4rem; cursor: pointer; }
button.plot-tool:hover { color: var(--ink, #1b2330); border-color: currentColor; }
.plot { width: 100%; height: 340px; }
.plot .modebar-container { display: none; }
img.paper { display: none; }
@media (max-width: 900px) { .plot { height: 320px; } }
@media print {
  .plot-tools { display: none !important; }
  .plot.has-paper { display: none !important; }
  img.paper { display: block; width: 100%; max-width: 660px; height: auto; }
}
`;
