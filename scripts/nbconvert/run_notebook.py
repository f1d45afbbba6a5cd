"""run_notebook.py IN.ipynb OUT.ipynb OUT.html: executes a notebook and exports it as one offline HTML page.

Tells what happens as JSON lines on standard output: start, cell, progress, error, done. What was made until a cell
failed is written all the same; the exit code is then 1. SIGUSR1 interrupts the running cell, SIGTERM ends the run.
"""
import asyncio
import base64
import hashlib
import json
import signal
import sys
from html.parser import HTMLParser
from pathlib import Path

import latex2mathml.converter
import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, DeadKernelError
from nbconvert import HTMLExporter
from nbconvert.filters.markdown_mistune import IPythonRenderer
from traitlets.config import Config

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent


def tell(event, **fields):
    print(json.dumps({"event": event, **fields}), flush=True)


class Client(NotebookClient):
    """Passes live displays on to the terminal."""

    def process_message(self, msg, cell, cell_index):
        content = msg["content"]
        if msg["msg_type"] == "update_display_data":
            tell("progress", text=content["data"].get("text/plain", ""))
        return super().process_message(msg, cell, cell_index)

    async def _async_cleanup_kernel(self):
        """Once is enough: a signal while the kernel starts may have done it."""
        if self.km is not None:
            await super()._async_cleanup_kernel()


async def execute(notebook):
    code_cells = [i for i, cell in enumerate(notebook.cells) if cell.cell_type == "code"]
    heading = ""

    def on_cell_start(cell, cell_index):
        nonlocal heading
        if cell.cell_type == "markdown":
            titles = [line for line in cell.source.splitlines() if line.startswith("#")]
            heading = titles[-1].lstrip("# ") if titles else heading
        else:
            tell("cell", number=code_cells.index(cell_index) + 1, total=len(code_cells), heading=heading)

    loop = asyncio.get_running_loop()

    ended = False

    def end():
        nonlocal ended
        ended = True
        client.shutdown_kernel = "immediate"
        running.cancel()

    client = Client(
        notebook,
        kernel_name="rewardbook",
        timeout=None,
        startup_timeout=180,
        record_timing=False,
        on_cell_start=on_cell_start,
        on_notebook_start=lambda notebook: loop.add_signal_handler(signal.SIGTERM, end),  # in the place of nbclient's
        resources={"metadata": {"path": str(ROOT)}},
    )
    tell("start", total=len(code_cells))
    loop.add_signal_handler(signal.SIGUSR1, lambda: loop.create_task(client.km.interrupt_kernel()))
    running = asyncio.ensure_future(client.async_execute())
    try:
        await running
        return 0
    except CellExecutionError as error:
        at = next((i for i in code_cells if any(o.output_type == "error" for o in notebook.cells[i].outputs)), None)
        number = 0 if at is None else code_cells.index(at) + 1
        first = "" if at is None else notebook.cells[at].source.split("\n")[0]
        tell("error", number=number, source=first, ename=error.ename, evalue=error.evalue, traceback=error.traceback)
    except (asyncio.CancelledError, DeadKernelError, RuntimeError) as error:
        # nbclient takes a cancelled cell for a dead kernel
        ename, evalue = ("Stopped", "ended before its last cell") if ended else ("KernelDied", str(error))
        tell("error", number=0, source="", ename=ename, evalue=evalue, traceback="")
    return 1


def title_of(notebook, source):
    lines = notebook.cells[0].source.splitlines()
    return next((line.lstrip("# ") for line in lines if line.startswith("#")), Path(source).stem)


def mathml(display):
    """The formulas are the notebooks' own, in Markdown; data never comes through here."""
    return lambda _renderer, body: latex2mathml.converter.convert(body, display=display)


def untouched(embed):
    """A block of HTML may open what a later block closes, such as a hidden answer; nbconvert would close it at once."""
    return lambda renderer, html: embed(renderer, html) if "<img" in html.lower() else html


IPythonRenderer._html_embed_images = untouched(IPythonRenderer._html_embed_images)


def export(notebook, title, target):
    IPythonRenderer.inline_math = mathml("inline")
    IPythonRenderer.block_math = mathml("block")
    config = Config()
    config.TemplateExporter.extra_template_basedirs = [str(HERE / "templates")]
    parts = ROOT / ".cache" / "nbconvert"
    config.TemplateExporter.extra_template_paths = [str(ROOT / "node_modules" / "plotly.js-cartesian-dist-min"), str(parts)]
    exporter = HTMLExporter(config=config, template_name="rewardbook", embed_images=True)
    page, _ = exporter.from_notebook_node(notebook, {"metadata": {"name": title}, "script_hashes": script_hashes(exporter)})
    write(target, page)


class Scripts(HTMLParser):
    """The texts of a page's scripts that run."""

    def __init__(self):
        super().__init__()
        self.texts = []
        self.inside = False

    def handle_starttag(self, tag, attrs):
        self.inside = tag == "script" and dict(attrs).get("type", "text/javascript") == "text/javascript"
        if self.inside:
            self.texts.append("")

    def handle_data(self, data):
        if self.inside:
            self.texts[-1] += data

    def handle_endtag(self, tag):
        self.inside = False


def script_hashes(exporter):
    """The scripts of a page with one empty figure and no data, the only ones that a page may run."""
    figure = {"application/vnd.plotly.v1+json": {"data": [], "layout": {}}, "text/plain": ""}
    cell = nbformat.v4.new_code_cell("", outputs=[nbformat.v4.new_output("display_data", data=figure)])
    page, _ = exporter.from_notebook_node(nbformat.v4.new_notebook(cells=[cell]), {"script_hashes": "'none'"})
    found = Scripts()
    found.feed(page)
    digests = [hashlib.sha256(text.encode()).digest() for text in found.texts]
    return " ".join(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)


def write(target, text):
    """A page is there whole or not at all."""
    partial = Path(f"{target}.partial")
    partial.write_text(text, encoding="utf-8")
    partial.replace(target)


def main(source, executed, html):
    notebook = nbformat.read(source, as_version=4)
    title = title_of(notebook, source)
    status = asyncio.run(execute(notebook))
    write(executed, nbformat.writes(notebook) + "\n")
    export(notebook, title, html)
    tell("done", status=status)
    return status


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
