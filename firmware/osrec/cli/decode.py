import typer

app = typer.Typer()


@app.command()
def csta() -> None:
    """x"""


@app.command()
def b() -> None:
    """x"""
