"""In: executed notebooks and a folder. Out: their pages there, as they are: nothing is run."""

import sys
from pathlib import Path

import nbformat
from run_notebook import export, title_of


def main(folder, *sources):
    for source in map(Path, sources):
        notebook = nbformat.read(source, as_version=4)
        export(notebook, title_of(notebook, source), Path(folder) / f"{source.stem}.html")


if __name__ == "__main__":
    main(*sys.argv[1:])
