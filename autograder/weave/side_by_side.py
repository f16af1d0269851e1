"""Pages that must be executed are executed side by side, before Sphinx reads them one by one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

import nbformat
from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn, JupyterCacheAbstract
from jupyter_cache.executors.utils import ExecutionResult, single_nb_execution
from myst_nb.core.read import create_nb_reader
from myst_nb.sphinx_ import SphinxEnvType
from sphinx.application import Sphinx
from sphinx.util import logging

logger = logging.getLogger(__name__)

MOST_AT_ONCE = 4  # a page with real weights takes more than a gigabyte


def execute_side_by_side(app: Sphinx, env: SphinxEnvType, docnames: list[str]) -> None:
    """Execute the pages that Sphinx is about to read, and keep what came of them in its cache.

    A page that fails is left to Sphinx, which executes it again and says what went wrong where.
    """
    settings = env.mystnb_config
    if settings.execution_mode != "cache":
        return
    cache = get_cache(settings.execution_cache_path)
    pages = dict(_stale_pages(env, docnames, cache))
    with ThreadPoolExecutor(min(MOST_AT_ONCE, os.cpu_count() or 1)) as pool:
        running = {
            pool.submit(
                single_nb_execution,
                notebook,
                cwd=str(file.parent),
                timeout=settings.execution_timeout,
                allow_errors=settings.execution_allow_errors,
            ): file
            for file, notebook in pages.items()
        }
        for done in as_completed(running):
            _keep(cache, running[done], done.result())


def _stale_pages(
    env: SphinxEnvType, docnames: list[str], cache: JupyterCacheAbstract
) -> Iterator[tuple[Path, nbformat.NotebookNode]]:
    """The pages with code whose outputs the cache does not hold."""
    for docname in docnames:
        file = Path(env.doc2path(docname))
        text = file.read_text(encoding="utf-8")
        reader = create_nb_reader(str(file), env.myst_config, env.mystnb_config, text)
        if reader is None:
            continue
        notebook = reader.read(text)
        if not any(cell.cell_type == "code" for cell in notebook.cells):
            continue
        try:
            cache.match_cache_notebook(notebook)
        except KeyError:
            yield file, notebook


def _keep(cache: JupyterCacheAbstract, file: Path, result: ExecutionResult) -> None:
    if result.err is not None:
        logger.info("%s failed after %.2f seconds", file, result.time)
        return
    bundle = CacheBundleIn(result.nb, str(file), data={"execution_seconds": result.time})
    cache.cache_notebook_bundle(bundle, check_validity=False, overwrite=True)
    logger.info("%s: Executed notebook in %.2f seconds", file, result.time)
