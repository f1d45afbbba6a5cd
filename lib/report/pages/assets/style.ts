// The report's style sheet: light and dark, narrow and wide, screen and print.
export const REPORT_STYLE = `
:root {
  color-scheme: light;
  --ground: #ffffff; --panel: #f6f8fa; --line: #d9dfe6; --ink: #1b2330; --muted: #566172;
  --accent: #0068a3; --accent-soft: #e3f0f8; --range: #0072b2;
  --good: #0b6146; --good-soft: #e6f4ee; --bad: #9c2c0c; --bad-soft: #fcece6; --open: #6a4a00; --open-soft: #fdf3d7;
  --chosen-mark: #cfe6f5; --rejected-mark: #fbd9c6;
}
:root[data-theme="dark"] {
  color-scheme: dark;
  --ground: #12161c; --panel: #1a2029; --line: #343d4a; --ink: #e8ecf1; --muted: #a5b0bf;
  --accent: #6dbdf0; --accent-soft: #14344a; --range: #4fb0e8;
  --good: #6fd6ae; --good-soft: #12352a; --bad: #ff9f7a; --bad-soft: #43200f; --open: #f2cc67; --open-soft: #3a2f10;
  --chosen-mark: #17496a; --rejected-mark: #6b2f12;
}
* { box-sizing: border-box; } [hidden] { display: none !important; }
html { scroll-behavior: smooth; scroll-padding-top: 1rem; }
@media (prefers-reduced-motion: reduce) { html { scroll-behavior: auto; } }
body {
  margin: 0; background: var(--ground); color: var(--ink);
  font: 16px/1.55 Inter, system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
}
.skip { position: absolute; left: -999px; top: 0; background: var(--accent); color: var(--ground); padding: .6rem 1rem; z-index: 9; }
.skip:focus { left: 0; }
.page { max-width: 1240px; margin: 0 auto; padding: 0 1.25rem 4rem; display: grid; grid-template-columns: 180px minmax(0, 1fr); gap: 2.5rem; }
header.top { grid-column: 1 / -1; padding: 2rem 0 0; display: flex; gap: .5rem 2rem; align-items: flex-end; justify-content: space-between; }
header.top > div { min-width: 0; } header.top button { flex: none; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0; letter-spacing: -.015em; overflow-wrap: anywhere; }
h2 { font-size: 1.3rem; margin: 0 0 .9rem; letter-spacing: -.01em; }
h3 { font-size: 1rem; margin: 1.6rem 0 .5rem; }
p { margin: .4rem 0 .8rem; max-width: 74ch; }
a { color: var(--accent); }
small, .muted { color: var(--muted); }
.kicker { font-size: .8rem; font-weight: 600; letter-spacing: .06em; text-transform: uppercase; color: var(--accent); margin: 0 0 .2rem; }
.meta { color: var(--muted); margin: .3rem 0 0; max-width: none; overflow-wrap: anywhere; }
button, input, select {
  font: inherit; color: inherit; background: var(--ground); border: 1px solid var(--muted); border-radius: 6px; padding: .4rem .7rem;
}
button { cursor: pointer; } button:hover { background: var(--panel); }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; border-radius: 4px; }
nav.contents { position: sticky; top: 1.5rem; align-self: start; font-size: .93rem; }
nav.contents ol { list-style: none; margin: 0; padding: 0; border-left: 2px solid var(--line); }
nav.contents a { display: block; padding: .28rem .9rem; color: var(--muted); text-decoration: none; margin-left: -2px; border-left: 2px solid transparent; }
nav.contents a:hover, nav.contents a[aria-current] { color: var(--ink); border-left-color: var(--accent); }
section { margin: 0 0 3.2rem; }
.verdict { border: 1px solid var(--line); border-left: 8px solid var(--tone); background: var(--tone-soft); border-radius: 10px; padding: 1.3rem 1.5rem 1.1rem; margin-bottom: 1.4rem; }
.verdict.passed { --tone: var(--good); --tone-soft: var(--good-soft); }
.verdict.failed { --tone: var(--bad); --tone-soft: var(--bad-soft); }
.verdict.open { --tone: var(--open); --tone-soft: var(--open-soft); }
.verdict h2 { display: flex; gap: .6rem; align-items: center; color: var(--tone); font-size: 1.45rem; margin: 0 0 .5rem; }
.verdict h2 svg { flex: none; }
.verdict p { font-size: 1.06rem; }
.verdict ul { margin: .4rem 0 .5rem; padding-left: 1.2rem; max-width: 80ch; } .verdict li { margin: .25rem 0; }
.checks { list-style: none; padding: 0 !important; display: grid; gap: .1rem; }
.checks li { display: grid; grid-template-columns: 1.5rem 1fr; }
.checks .mark { font-weight: 700; color: var(--good); } .checks .no .mark { color: var(--bad); }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(205px, 1fr)); gap: .9rem; }
.card { border: 1px solid var(--line); border-radius: 10px; padding: .9rem 1rem .8rem; background: var(--ground); }
.card h3 { margin: 0; font-size: .86rem; font-weight: 600; color: var(--muted); }
.card .value { font-size: 1.75rem; font-weight: 650; letter-spacing: -.02em; line-height: 1.25; font-variant-numeric: tabular-nums; }
.card .value span { font-size: .95rem; font-weight: 500; color: var(--muted); letter-spacing: 0; }
.card p { font-size: .86rem; color: var(--muted); margin: .15rem 0 0; line-height: 1.4; }
.scale { position: relative; height: 18px; margin: .35rem 0 .1rem; }
.scale::before { content: ""; position: absolute; left: 0; right: 0; top: 8px; height: 2px; background: var(--line); }
.scale .range { position: absolute; top: 4px; height: 10px; border-radius: 3px; background: var(--range); opacity: .45; }
.scale .point { position: absolute; top: 0; width: 4px; height: 18px; margin-left: -2px; border-radius: 2px; background: var(--range); }
.scale .chance { position: absolute; top: 1px; bottom: 1px; border-left: 2px dotted var(--muted); }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 430px), 1fr)); gap: 1.1rem; }
figure.chart { margin: 0; border: 1px solid var(--line); border-radius: 10px; overflow: hidden; background: var(--ground); min-width: 0; }
figure.chart figcaption { border-top: 1px solid var(--line); padding: .35rem .9rem; font-size: .87rem; color: var(--muted); }
summary { cursor: pointer; }
.wrap { overflow-x: auto; border: 1px solid var(--line); border-radius: 10px; margin: 1.1rem 0 1rem; } .charts .wrap { margin: 0; }
.charts + details, details + details, .wrap + details { margin-top: .9rem; } section > details > summary { color: var(--accent); }
table { border-collapse: collapse; width: 100%; font-size: .92rem; }
caption { text-align: left; font-weight: 600; padding: .6rem .9rem; }
th, td { text-align: left; padding: .42rem .9rem; vertical-align: top; border-top: 1px solid var(--line); }
thead th { border-top: 0; color: var(--muted); font-weight: 600; background: var(--panel); }
caption + thead th { border-top: 1px solid var(--line); }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; } td.number { white-space: nowrap; }
td, th { overflow-wrap: break-word; } tbody th { font-weight: 500; } td .mono { overflow-wrap: anywhere; }
td, th, .tag, .text, .prompt, .meta, h1, code { unicode-bidi: isolate; } .note + .hidden + .cards { margin-top: 1.2rem; } select { max-width: min(260px, 80vw); }
tr.changed th::after { content: " changed"; font-size: .72rem; font-weight: 600; color: var(--accent); background: var(--accent-soft); border-radius: 4px; padding: .05rem .35rem; margin-left: .4rem; }
code, .mono { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; font-size: .88em; overflow-wrap: anywhere; }
.note { border-left: 4px solid var(--open); background: var(--open-soft); border-radius: 6px; padding: .55rem .9rem; margin: .5rem 0; max-width: none; }
.lead { font-size: 1.05rem; } .notes { overflow-wrap: anywhere; } .notes pre { overflow-x: auto; background: var(--panel); padding: .6rem .9rem; border-radius: 6px; } .notes h1 { font-size: 1.2rem; } .notes h2, .notes h3 { font-size: 1.05rem; }
.filters { display: flex; flex-wrap: wrap; gap: .7rem 1rem; align-items: flex-end; margin: .8rem 0; }
.filters label { display: grid; gap: .2rem; font-size: .85rem; color: var(--muted); }
.filters input[type=search] { min-width: min(300px, 80vw); }
.filters > label > * { color: var(--ink); }
.browser { display: grid; grid-template-columns: minmax(230px, 1fr) minmax(0, 2fr); gap: 1rem; align-items: start; }
#pair-list { position: relative; height: 34rem; max-height: 75vh; overflow-y: auto; border: 1px solid var(--line); border-radius: 10px; }
#pair-rows { position: relative; }
.pair-row { position: absolute; left: 0; right: 0; padding: .35rem .75rem; border-bottom: 1px solid var(--line); cursor: pointer; display: grid; grid-template-columns: 4.2rem minmax(0, 1fr); gap: 0 .5rem; font-size: .88rem; line-height: 1.45; overflow: hidden; }
.pair-row:hover { background: var(--panel); } .pair-row[aria-selected=true] { background: var(--accent-soft); }
.pair-row .snippet, .pair-row .about { white-space: nowrap; overflow: hidden; text-overflow: ellipsis; unicode-bidi: isolate; }
.pair-row .about { grid-column: 2; font-size: .8rem; } .pair-row .delta { font-variant-numeric: tabular-nums; font-weight: 600; }
.delta.wrong, .tag.wrong { color: var(--bad); } .delta.right, .tag.right { color: var(--good); }
#pair-detail { border: 1px solid var(--line); border-radius: 10px; padding: .8rem 1rem 1rem; min-width: 0; } #pair-detail:empty { display: none; }
.pair-link { display: inline-block; margin-top: .7rem; font-size: .88rem; }
del { text-decoration-color: var(--bad); text-decoration-thickness: 1px; color: var(--muted); background: repeating-linear-gradient(45deg, transparent 0 5px, var(--panel) 5px 9px); }
.control { font: 600 .72em ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; color: var(--bad); border: 1px solid var(--bad); border-radius: 3px; padding: 0 .15rem; margin: 0 .1rem; unicode-bidi: isolate; direction: ltr; }
#pair-paper { list-style: none; margin: 0; padding: 0; display: none; }
button.sort { font: inherit; color: inherit; background: none; border: 0; padding: 0; text-align: inherit; } th[aria-sort=descending] button.sort::after { content: " ↓"; } th[aria-sort=ascending] button.sort::after { content: " ↑"; }
.mistake { border: 1px solid var(--line); border-radius: 10px; padding: .8rem 1rem 1rem; }
.facts { display: flex; flex-wrap: wrap; gap: .3rem .5rem; align-items: center; font-size: .85rem; margin-bottom: .4rem; }
.tag { border: 1px solid var(--line); background: var(--panel); border-radius: 99px; padding: .05rem .6rem; overflow-wrap: anywhere; }
.tag.wrong, .tag.right { font-weight: 650; font-variant-numeric: tabular-nums; } .tag.wrong { border-color: var(--bad); background: var(--bad-soft); } .tag.right { border-color: var(--good); background: var(--good-soft); }
.prompt { font-weight: 600; white-space: pre-wrap; overflow-wrap: anywhere; max-height: 9em; overflow: auto; margin: .2rem 0 .7rem; }
.answers { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 300px), 1fr)); gap: .9rem; }
.answer { border: 1px solid var(--line); border-radius: 8px; min-width: 0; }
.answer h4 { margin: 0; padding: .4rem .75rem; font-size: .84rem; font-weight: 600; background: var(--panel); border-bottom: 1px solid var(--line); border-radius: 8px 8px 0 0; display: flex; justify-content: space-between; gap: 1rem; }
.answer .text { padding: .55rem .75rem; white-space: pre-wrap; overflow-wrap: anywhere; max-height: 17em; overflow: auto; font-size: .93rem; }
mark { color: inherit; border-radius: 3px; padding: 0 .1em; } .better mark { background: var(--chosen-mark); } .worse mark { background: var(--rejected-mark); }
.usage { display: flex; height: 22px; border-radius: 6px; overflow: hidden; border: 1px solid var(--line); margin: .3rem 0; max-width: 640px; }
.usage span { background: var(--range); } .usage span + span { background: repeating-linear-gradient(45deg, var(--rejected-mark) 0 6px, var(--ground) 6px 10px); }
dl.words { display: grid; grid-template-columns: minmax(120px, max-content) 1fr; gap: .3rem 1.2rem; max-width: 80ch; } dl.words dt { font-weight: 600; } dl.words dd { margin: 0; }
footer { grid-column: 1 / -1; border-top: 1px solid var(--line); padding-top: 1rem; color: var(--muted); font-size: .88rem; }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
@media (max-width: 900px) {
  .page { grid-template-columns: minmax(0, 1fr); gap: 1.2rem; padding: 0 .9rem 3rem; }
  nav.contents { position: static; } nav.contents ol { display: flex; flex-wrap: wrap; border: 0; gap: .1rem .2rem; }
  nav.contents a { padding: .2rem .55rem; border: 1px solid var(--line); border-radius: 99px; margin: 0; }
  h1 { font-size: 1.5rem; } header.top { flex-wrap: wrap; } .verdict { padding: 1rem 1.1rem .8rem; } .cards { grid-template-columns: repeat(auto-fill, minmax(150px, 1fr)); }
  .card .value { font-size: 1.45rem; } dl.words { grid-template-columns: 1fr; } dl.words dd { margin-bottom: .5rem; }
  th, td { padding: .4rem .6rem; } tbody th { min-width: 6.5rem; } .browser { grid-template-columns: minmax(0, 1fr); } #pair-list { height: 19rem; }
}
@media print {
  @page { margin: 14mm; }
  body { font-size: 10.5pt; } .card .value { font-size: 1.3rem; } .page { display: block; max-width: none; padding: 0; } header.top { padding: 0 0 1rem; }
  nav.contents, .filters, .skip, button { display: none !important; }
  .verdict, .card, figure.chart, .mistake, .wrap.short, tr { break-inside: avoid; } h2, h3 { break-after: avoid; } section { margin-bottom: 1.4rem; }
  .charts { grid-template-columns: 1fr; } .answer .text, .prompt { max-height: none; overflow: visible; }
  .verdict, .scale *, .usage *, mark, .tag { -webkit-print-color-adjust: exact; print-color-adjust: exact; }
  .browser, #pair-count { display: none; } #pair-paper { display: grid; gap: .7rem; } .mistake .facts, .answer h4 { break-after: avoid; }
  .wrap { overflow: visible; border: 0; } table { font-size: .78rem; } table.sortable { font-size: .66rem; } td, th { overflow-wrap: break-word; padding: .25rem .4rem; } td .mono, td code { overflow-wrap: anywhere; } thead { display: table-header-group; } figure.chart figcaption { display: none; }
}
`;
