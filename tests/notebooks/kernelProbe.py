"""Drives the kernel through jupyter_client and prints what the protocol carried, as JSON."""
import json
import time

from jupyter_client.manager import start_new_kernel

manager, client = start_new_kernel(kernel_name="rewardbook", startup_timeout=120)


def run(code, interrupt_after=None):
    """Executes a cell; returns its messages, its reply and, where interrupted, the seconds until it ended."""
    message_id = client.execute(code)
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
import { breathe, listenForStop } from "rewardbook";
let steps = 0;
const stop = await listenForStop();
while (!stop.signal.aborted && steps < 100000) { steps++; await new Promise((r) => setTimeout(r, 5)); await breathe(); }
stop.release();
"""
out = {
    "number": run("const answer: number = 42; answer"),
    "thrown": run("function fail() { throw new RangeError('too far'); }\nfail();"),
    "afterThrown": run("answer + 1"),
    "wrongType": run("const wrong: number = 'text';"),
    "bundle": run("({ toMimeBundle: () => ({ 'text/html': '<b>bold</b>', 'text/plain': 'bold' }) })"),
    "many": run("const display = (await import('tslab')).newDisplay();\nfor (let i = 0; i < 1500; i++) display.text(`shown ${i}`);"),
    "loop": run(LOOP, interrupt_after=3),
    "afterLoop": run("steps > 0 && steps < 100000"),
    "endless": run("await new Promise(() => {});", interrupt_after=1),
    "busy": run("while (true) {}", interrupt_after=1),
    "afterBusy": run("answer"),
}
many = out["many"]["messages"]
out["many"] = {"count": sum(m["type"] in ("display_data", "update_display_data") for m in many), "reply": out["many"]["reply"]}
print(json.dumps(out))
client.stop_channels()
manager.shutdown_kernel(now=True)
