// In: what a running notebook tells. Out: one line in a terminal that keeps itself up to date; elsewhere a line every few seconds.

const PLAIN_EVERY_MS = 10_000;

/** A progress display for one notebook: `onEvent`, `say` and `finish`. */
export function showProgress(label, { out = process.stdout, now = Date.now } = {}) {
  const live = out.isTTY === true;
  const started = now();
  let last = -Infinity;
  let state = "starting the kernel";
  const seconds = () => `${((now() - started) / 1000).toFixed(0)} s`.padStart(6);
  const draw = () => {
    const line = `${label}  ${seconds()}  ${state}`;
    if (live) out.write(`\r\x1b[2K${clip(line, out.columns ?? 80)}`);
    else if (now() - last >= PLAIN_EVERY_MS) {
      last = now();
      out.write(`${line}\n`);
    }
  };
  draw();
  const timer = setInterval(draw, 500);
  let cell = "";
  return {
    onEvent({ event, number, total, heading, text }) {
      if (event === "cell") state = cell = `cell ${number}/${total}: ${heading}`;
      else if (event === "progress" && text) state = `${cell.split(":")[0]}: ${oneLine(text)}`;
      else return;
      draw();
    },
    say(text) {
      out.write(`${live ? "\r\x1b[2K" : ""}${text}\n`);
    },
    finish(ok, duration) {
      clearInterval(timer);
      out.write(
        `${live ? "\r\x1b[2K" : ""}${ok ? "✓" : "✗"} ${label.padEnd(32)} ${duration.toFixed(1).padStart(6)} s\n`,
      );
    },
  };
}

/** Text from a notebook shows what data says: no control character may reach the terminal. */
const oneLine = (text) => text.replaceAll(/[\u0000-\u001f\u007f-\u009f]+/g, " ").trim();

const clip = (text, width) => (text.length < width ? text : `${text.slice(0, Math.max(0, width - 2))}…`);
