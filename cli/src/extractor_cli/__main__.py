"""The `extractor` command. Each verb is a file of its own, and imports what only it needs when it runs."""

import typer

from extractor_cli import init, lint, query, rules, run, serve, test, verify

app = typer.Typer(
    name="extractor",
    help="Write, check, test, run and serve custom extractors on this machine.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("init")(init.init)
app.command("lint")(lint.lint)
app.command("rules")(rules.rules)
app.command("test")(test.test)
app.command("verify")(verify.verify)
app.command("run")(run.run)
app.command("query")(query.query)
app.command("serve")(serve.serve)


def main() -> None:
    """Run the command; the console script's entry point."""
    app()


if __name__ == "__main__":
    main()
