"""Drives the kernel through jupyter_client and prints what the protocol carried, as JSON."""
import json
import shutil
import tempfile
import time
from pathlib import Path

from jupyter_client.manager import start_new_kernel

ROOT = Path(__file__).resolve().parents[2]

# A package that only `import` may load, without types.
PACKAGE = ROOT / "node_modules" / "rewardbook-probe-package"
PACKAGE.mkdir(exist_ok=True)
(PACKAGE / "package.json").write_text('{"name": "rewardbook-probe-package", "type": "module", "exports": {"import": "./main.js"}}')
(PACKAGE / "main.js").write_text("export const seven = await Promise.resolve(7);\n")

manager, client = start_new_kernel(kernel_name="rewardbook", startup_timeout=120)


def resident_mb():
    """Memory of the kernel's process."""
    status = Path(f"/proc/{manager.provisioner.process.pid}/status")
    if not status.exists():
        return None
    return int(next(line for line in status.read_text().splitlines() if line.startswith("VmRSS")).split()[1]) / 1024


def after_seconds(seconds, read):
    time.sleep(seconds)
    return read()


def answer(message_id):
    while (reply := client.get_shell_msg(timeout=60))["parent_header"].get("msg_id") != message_id:
        pass
    return reply["content"]


def complete(code, cursor=None):
    return answer(client.complete(code, len(code) if cursor is None else cursor))


def inspect(code, cursor=None):
    return answer(client.inspect(code, len(code) if cursor is None else cursor))["data"].get("text/plain", "")


def states_of(requests, seconds):
    """The kernel's states with the name of the request each belongs to, as a front end sees them."""
    names = {message_id: name for name, message_id in requests.items()}
    states = []
    end = time.monotonic() + seconds
    while time.monotonic() < end and not (len(states) and states[-1] == [list(requests)[-1], "idle"]):
        try:
            message = client.get_iopub_msg(timeout=1)
        except Exception:
            continue
        name = names.get(message["parent_header"].get("msg_id"))
        if message["msg_type"] == "status" and name:
            states.append([name, message["content"]["execution_state"]])
    return states


def run_all(*sources):
    """Sends cells at once, as "Run All" does, and a completion while the first one runs."""
    requests = {f"cell {i + 1}": client.execute(source) for i, source in enumerate(sources)}
    time.sleep(0.3)
    first = list(requests)
    requests = {first[0]: requests[first[0]], "tab": client.complete("Math.ma", 7), **{name: requests[name] for name in first[1:]}}
    states = states_of(requests, 30)
    replies = [answer(requests[name])["status"] for name in first]
    return {"states": states, "replies": replies}


def run(code, interrupt_after=None, silent=False):
    """Executes a cell; returns its messages, its reply and, where interrupted, the seconds until it ended."""
    message_id = client.execute(code, silent=silent)
    if interrupt_after is not None:
        time.sleep(interrupt_after)
        manager.interrupt_kernel()
    interrupted = time.monotonic()
    messages = []
    while True:
        message = client.get_iopub_msg(timeout=120)
        if message["parent_header"].get("msg_id") != message_id:
            continue
        if message["msg_type"] == "status":
            if message["content"]["execution_state"] == "idle":
                break
            continue
        messages.append({"type": message["msg_type"], "content": message["content"]})
    seconds = time.monotonic() - interrupted
    while (reply := client.get_shell_msg(timeout=30))["parent_header"].get("msg_id") != message_id:
        pass
    return {"messages": messages, "reply": reply["content"], "seconds": seconds}


LOOP = """
import { yieldToEvents, listenForStop } from "rewardbook";
let steps = 0;
const stop = await listenForStop();
while (!stop.signal.aborted && steps < 100000) { steps++; await new Promise((r) => setTimeout(r, 5)); await yieldToEvents(); }
stop.release();
"""
SCORE = """
import { findModel, loadRewardModel, scoreTexts } from "rewardbook";
const loaded = await loadRewardModel(findModel("all-MiniLM-L6-v2"), { seed: 1 });
const items = Array.from({ length: 3000 }, (_, i) => ({ prompt: `Question ${i}?`, response: `word ${i} `.repeat(60) }));
const ticks: number[] = [];
"""
FOLDER = tempfile.mkdtemp(prefix="rewardbook-probe-")
EVALUATE = """
import { checkPairs, encodePrompts, evaluateScores, fitAnswers, openPolicy, sampleAnswers, scorePairs, writeFreshPolicy } from "rewardbook";
import { writeFileSync } from "node:fs";
const fresh = await loadRewardModel(findModel("all-MiniLM-L6-v2"), { seed: 1 });
const toEvaluate = items.map(({ prompt, response }, i) => ({ ...items[i], id: `${i}`, questionId: `${i}`, chosen: response, rejected: `no ${response}`, line: i, riskLevel: "Low", confidencePenalty: 0 }));
"""
EVALUATION = "const evaluated = evaluateScores(await scorePairs(fresh, toEvaluate as never)); evaluated.n_pairs"
CHECK = """
const folder = FOLDER;
writeFileSync(`${folder}/pairs.jsonl`, Array.from({ length: 60000 }, (_, i) => JSON.stringify({ prompt: `Question number ${i}?`, chosen: `answer ${i}`, rejected: `reply ${i}` })).join(String.fromCharCode(10)));
await writeFreshPolicy(`${folder}/policy`, items.map(({ response }) => response), { shape: { hiddenSize: 128, layers: 4, heads: 4, maxLength: 256 }, seed: 1 });
const policy = await openPolicy(`${folder}/policy`);
const asked = await encodePrompts(policy, items.map(({ response }) => response.slice(0, 40)), "{prompt} {response}");
const lessons = asked.map((prompt) => ({ prompt, answer: prompt, weight: 1 }));
""".replace("FOLDER", json.dumps(FOLDER))
CHECKING = "(await checkPairs(`${folder}/pairs.jsonl`)).report.pairs"
SAMPLING = "(await sampleAnswers(policy, asked, { maxNewTokens: 60, seed: 1, rowsAtOnce: 4 })).length"
FITTING = "(await fitAnswers(policy, lessons, { steps: 2000, batchSize: 32, learningRate: 1e-3, seed: 1 })).length"
SCORING = "const scores = await scoreTexts(loaded, items, { onProgress: (done) => ticks.push(done) }); scores.length"

out = {
    "firstTab": complete("import { splitP } from 'rewardbook'", 15),
    "afterSmiley": complete("const smiley = '🙂'; Math.ma"),
    # silent: it has no number
    "first": run("import { splitPairs, trainRewardModel } from 'rewardbook';", silent=True),
    "idleMegabytes": resident_mb(),
    "garbage": run("Array.from({ length: 4e6 }, (_, i) => ({ i })).length", silent=True),
    "usedMegabytes": after_seconds(5, resident_mb),
    "number": run("const answer: number = 42; answer"),
    "thrown": run("function fail() { throw new RangeError('too far'); }\nfail();"),
    "afterThrown": run("answer + 1"),
    "half": run("const before: number[] = [1];\nlet answer = 7;\ninterface Point { x: number }\nif (before.length) throw new Error('stop');\nconst after = 3;"),
    "names": run("const point: Point = { x: before[0] + answer }; point.x"),
    "underscores": run("const __two = 2, ___three = 3;\n__two + ___three"),
    "underscoresLater": run("__two"),
    "notReached": run("after"),
    "wrongType": run("const fine = 1;\nconst wrong: number = 'text';"),
    "earlier": run("let near = 1, far = 2; const both = { near: 3, far: 4, rest: 5 };"),
    "shorthand": run("const { near: nearest, ...others } = both; ({ near, far = 7 } = both); JSON.stringify({ near, far, nearest, others })"),
    "bundle": run("({ toMimeBundle: () => ({ 'text/html': '<b>bold</b>', 'text/plain': 'bold' }) })"),
    "figure": run("({ data: [{ y: [1, 2] }], layout: { title: { text: 'Two points' } } })"),
    "tslab": run("const lab = await import('tslab'); lab.display.text('shown')"),
    "package": run("import { seven } from 'rewardbook-probe-package';\nseven"),
    "many": run("const display = (await import('tslab')).newDisplay();\nfor (let i = 0; i < 1500; i++) display.text(`shown ${i}`);"),
    "import": run("import { notebookConfig, splitPairs, trainRewardModel } from 'rewardbook';"),
    "inCall": inspect("splitPairs("),
    "field": inspect("await trainRewardModel({ epochs: 1 })", 27),
    "unfinishedField": inspect("await trainRewardModel({ epochs", 27),
    "frame": run("import { DataFrame } from 'danfojs-node';\nnew DataFrame([{ risk: '<b>High</b>', pairs: 3 }])"),
    "queue": run_all("await new Promise((done) => setTimeout(done, 1500));", "1", "2"),
    "broken": run_all("await new Promise((done) => setTimeout(done, 600)); throw new Error('first')", "1", "2"),
    "loop": run(LOOP, interrupt_after=3),
    "afterLoop": run("steps > 0 && steps < 100000"),
    "endless": run("await new Promise(() => {});", interrupt_after=1),
    "busy": run("while (true) {}", interrupt_after=1),
    "busyAtOnce": run("while (true) {}", interrupt_after=0.02),
    "busyLater": run("await Promise.resolve();\nwhile (true) {}", interrupt_after=1),
    "afterBusy": run("answer"),
    "drawn": run("import { showFigure } from 'rewardbook';\nawait showFigure({ data: [{ y: [1, 2] }], layout: {} }, { png: true });"),
    "busyDrawn": run("await Promise.resolve();\nwhile (true) {}", interrupt_after=1),
    "afterDrawn": run("answer"),
    "load": run(SCORE),
    "scoring": run(SCORING, interrupt_after=3),
    "resumed": run(SCORING.replace("items", "items.slice(0, ticks[ticks.length - 1])")),
    "evaluate": run(EVALUATE),
    "evaluation": run(EVALUATION, interrupt_after=3),
    "evaluatedOn": run(EVALUATION, interrupt_after=3),
    "checkBegin": run(CHECK),
    "check": run(CHECKING, interrupt_after=1),
    "checked": run(CHECKING),
    "sampling": run(SAMPLING, interrupt_after=3),
    "sampledOn": run(SAMPLING, interrupt_after=3),
    "fitting": run(FITTING, interrupt_after=3),
    "fittedOn": run(FITTING, interrupt_after=3),
    "firstTicks": run("ticks[ticks.length - 1]"),
}
many = out["many"]["messages"]
out["many"] = {"count": sum(m["type"] in ("display_data", "update_display_data") for m in many), "reply": out["many"]["reply"]}

print(json.dumps(out))
client.stop_channels()
manager.shutdown_kernel(now=True)
for file in PACKAGE.iterdir():
    file.unlink()
PACKAGE.rmdir()
shutil.rmtree(FOLDER)
