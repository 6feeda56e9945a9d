"""``envbuild completion``: the completion script of a shell."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from click.shell_completion import get_completion_class

if TYPE_CHECKING:
    from envbuild.cli.main import Session


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def command(ctx: click.Context, shell: str) -> int:
    """Print the completion script of a shell.

    \b
    bash:  echo 'eval "$(envbuild completion bash)"' >> ~/.bashrc
    zsh:   echo 'eval "$(envbuild completion zsh)"' >> ~/.zshrc
    fish:  envbuild completion fish > ~/.config/fish/completions/envbuild.fish
    """
    session: Session = ctx.obj
    found = get_completion_class(shell)
    assert found is not None  # the choices above are those that click has
    script = found(ctx.find_root().command, {}, "envbuild", "_ENVBUILD_COMPLETE")
    # Not script.source(): for bash that starts a bash, only to ask for its version.
    session.console.data(script.source_template % script.source_vars())
    return 0
