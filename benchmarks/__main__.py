"""The command line of the benchmarks: `python -m benchmarks COMMAND`."""

import typer

from benchmarks import attacks, build, grading, models, word2vec

app = typer.Typer(help=__doc__, no_args_is_help=True, add_completion=False)


@app.callback()
def benchmarks() -> None:
    """Measure the course. Nothing here is a test: the numbers are printed, not judged."""


app.command("models")(models.compare)
app.command("word2vec")(word2vec.compare)
app.command("build")(build.build)
app.command("attacks")(attacks.attacks)
app.command("grading")(grading.grading)

if __name__ == "__main__":
    app()
