"""Running a notebook to its end, whatever its cells do.

A cell that loops for ever, kills its kernel or floods its output costs itself and no more: the
kernel is started anew, the cells before are run again without the culprit, and the rest follows.
"""

from __future__ import annotations

import os
import signal
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from jupyter_client.kernelspec import NoSuchKernel
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbclient.util import run_sync
from nbformat.v4 import new_output

from autograder.errors import CourseError

MEGABYTE = 1_000_000
DEATH, TIMEOUT, FLOOD = "KernelDied", "CellTimeout", "OutputTooLarge"


@dataclass(frozen=True)
class Limits:
    """What one cell may use.

    Args:
        seconds: wall-clock time.
        output: bytes of text that it may write.
        start_seconds: how long a kernel may take to start, and then the first cell, which imports
            what the others need; also how long any cell may take that is run again.
    """

    seconds: float = 60.0
    output: int = 5 * MEGABYTE
    start_seconds: float = 120.0


class NotebookRunner:
    """Runs notebooks, each in kernels of its own.

    Args:
        limits: what a cell may use.
        folder: the folder that the code runs in; a fresh empty one unless told otherwise, so that
            no file beside a notebook stands in for a package.
        environment: variables to set for the kernel.
    """

    def __init__(
        self,
        limits: Limits | None = None,
        folder: Path | None = None,
        environment: dict[str, str] | None = None,
    ) -> None:
        self.limits = limits or Limits()
        self.folder = folder
        self.environment = {"OMP_NUM_THREADS": "1", **(environment or {})}

    def run(
        self,
        notebook: nbformat.NotebookNode,
        skip: Callable[[nbformat.NotebookNode], bool] = lambda cell: False,
        repeatable: Callable[[nbformat.NotebookNode], bool] = lambda cell: True,
        progress: Callable[[int, int], None] = lambda number, total: None,
    ) -> None:
        """Run the code cells in their order; outputs are written into `notebook`.

        Args:
            notebook: the notebook; old outputs are dropped.
            skip: cells that are not run.
            repeatable: cells that are run again when a kernel had to be started anew; graded cells
                need not be, for example.
            progress: called before each cell with its number, from 1, and how many there are.
        """
        code = [cell for cell in notebook.cells if cell.cell_type == "code"]
        for cell in code:
            cell.outputs, cell.execution_count = [], None
        waiting = [cell for cell in code if not skip(cell) and cell.source.strip()]
        total = len(waiting)
        patience = max(self.limits.seconds, self.limits.start_seconds)
        done: list[nbformat.NotebookNode] = []
        with self._working_folder() as folder:
            while waiting:
                with self._kernel(notebook, folder) as client:
                    # What a fresh kernel must know before it goes on; a culprit in here is dropped.
                    done = self._replay(client, done, patience)
                    while waiting and not client.broken:
                        cell = waiting.pop(0)
                        progress(total - len(waiting), total)
                        client.run_cell(cell, patience if cell is code[0] else self.limits.seconds)
                        if not client.broken and repeatable(cell):
                            done.append(cell)

    def _replay(
        self, client: _Client, done: list[nbformat.NotebookNode], patience: float
    ) -> list[nbformat.NotebookNode]:
        survived = []
        for cell in done:
            if client.broken:
                break
            copy = nbformat.from_dict(dict(cell))  # the outputs of the cell itself are there
            client.run_cell(copy, patience)
            if not client.broken:
                survived.append(cell)
        return survived

    @contextmanager
    def _working_folder(self) -> Iterator[Path]:
        if self.folder is not None:
            yield self.folder
            return
        with tempfile.TemporaryDirectory(prefix="notebook-") as name:
            yield Path(name)

    @contextmanager
    def _kernel(self, notebook: nbformat.NotebookNode, folder: Path) -> Iterator[_Client]:
        blank = nbformat.v4.new_notebook(metadata=notebook.metadata)
        client = _Client(
            blank,
            kernel_name="python3",
            timeout=self.limits.seconds,
            startup_timeout=self.limits.start_seconds,
            interrupt_on_timeout=False,
            allow_errors=True,
            shutdown_kernel="immediate",
            kernel_manager_class=AsyncKernelManager,
            resources={"metadata": {"path": str(folder)}},
            extra_arguments=[
                "--IPKernelApp.log_level=ERROR",
                # A notebook's own exit() ends its kernel after the cell, as if the next had died.
                "--IPKernelApp.exec_lines=import sys; exit = quit = sys.exit; del sys",
            ],
        )
        client.most_output = self.limits.output
        with ExitStack() as stack:
            try:
                stack.enter_context(
                    client.setup_kernel(env=os.environ | self.environment, cwd=str(folder))
                )
            except (RuntimeError, NoSuchKernel) as error:
                raise CourseError(
                    f"No Jupyter kernel could be started ({error}): is ipykernel installed?"
                ) from error
            yield client


class _Client(NotebookClient):
    """One kernel. `broken` is true when it is lost, and the notebook needs another."""

    most_output = Limits.output

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.broken = False
        self._written = 0

    def run_cell(self, cell: nbformat.NotebookNode, seconds: float) -> None:
        """Run one cell; what stops it becomes an error among its outputs."""
        self._written = 0
        self.nb.cells = [cell]
        self.set_trait("timeout", seconds)
        try:
            self.execute_cell(cell, 0)
        except CellTimeoutError:
            self._lose(cell, TIMEOUT, f"The cell did not end within {seconds:g} seconds.")
        except (DeadKernelError, RuntimeError):
            self._lose(cell, DEATH, "The kernel died while the cell ran.")
        if self._written > self.most_output:
            # However it ended: the kernel may have been gone before or after its last reply.
            cell.outputs = []
            most = self.most_output / MEGABYTE
            self._lose(cell, FLOOD, f"The cell wrote more than {most:g} MB of output.")
        elif not self.broken and not self._is_alive():
            self._lose(cell, DEATH, "The kernel died while the cell ran.")

    def process_message(self, msg: Any, cell: Any, cell_index: int) -> Any:
        """Count what the cell writes, and stop one that writes without end."""
        if msg["msg_type"] in ("stream", "display_data", "execute_result", "error"):
            self._written += len(str(msg["content"]))
            if self._written > self.most_output:
                # Ends in a DeadKernelError, as this runs in a task whose exceptions nobody sees.
                os.kill(self._kernel_pid(), signal.SIGTERM if os.name == "nt" else signal.SIGKILL)
                return None
        return super().process_message(msg, cell, cell_index)

    def _is_alive(self) -> bool:
        manager: Any = self.km
        return bool(run_sync(manager.is_alive)()) if manager else False

    def _kernel_pid(self) -> int:
        provisioner: Any = self.km.provisioner if self.km else None
        return int(provisioner.pid)

    def _lose(self, cell: nbformat.NotebookNode, name: str, sentence: str) -> None:
        self.broken = True
        cell.outputs.append(
            new_output("error", ename=name, evalue=sentence, traceback=[f"{name}: {sentence}"])
        )
