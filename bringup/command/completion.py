# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""`bringup completion SHELL`: what makes a shell complete verbs, options and choices.

The script is made of the declared options and asks nothing at a prompt: completing is instant.
"""

from dataclasses import dataclass

from bringup.command.catalog import VERBS, Declared, shown
from bringup.harness.options.command_line import Command, read
from bringup.harness.options.exit_codes import ExitCode
from bringup.harness.options.option import declared, option

SHELLS = ("bash", "zsh", "fish")
COMMAND = Command(
    name="completion",
    prog="bringup completion",
    says="Print what makes a shell complete verbs and options.",
    examples=(
        ("bash > ~/.local/share/bash-completion/completions/bringup", "bash, from the next shell"),
        ("zsh >> ~/.zshrc", "zsh"),
        ("fish > ~/.config/fish/completions/bringup.fish", "fish"),
    ),
)
_BASH = """\
_bringup() {{
    local word=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD-1]}} words=""
    if [ "$COMP_CWORD" -eq 1 ]; then
        words="{verbs}"
    else
        case "${{COMP_WORDS[1]}} $before" in
{choices}
        *) case "$word" in -*) case "${{COMP_WORDS[1]}}" in
{flags}
        esac;; esac;;
        esac
    fi
    COMPREPLY=($(compgen -W "$words" -- "$word"))
}}
complete -o default -F _bringup bringup
"""


@dataclass(frozen=True)
class Options:
    """The options of the command."""

    shell: str = option("", "SHELL", "whose", choices=SHELLS, required=True)


def command_line() -> Declared:
    """What its parser is made of."""
    return Declared(COMMAND, Options)


def start(words: list[str]) -> int:
    """Print the script.

    Raises:
        UsageError: there is none for that shell.
    """
    shell = Options(**read(COMMAND, Options, words).values).shell
    if shell == "fish":
        print("\n".join(_fish()))
    else:
        print("autoload -Uz bashcompinit && bashcompinit\n" * (shell == "zsh") + _bash(), end="")
    return ExitCode.KEPT


def _bash() -> str:
    flags, choices = [], []
    for name, verb in VERBS.items():
        command, options = verb.declared()
        made = [one for one in declared(options, command.name).values() if not one.positional]
        words = " ".join(one.flag for one in made)
        flags.append(f'        {shown(name)}) words="--help {words}";;')
        choices += [
            f'        "{shown(name)} {one.flag}") words="{" ".join(one.choices)}";;'
            for one in made
            if one.choices
        ]
    verbs = " ".join(map(shown, VERBS))
    return _BASH.format(verbs=verbs, flags="\n".join(flags), choices="\n".join(choices))


def _fish() -> list[str]:
    lines = []
    for name, verb in VERBS.items():
        begin = "complete -c bringup -n __fish_use_subcommand"
        lines.append(f"{begin} -a {shown(name)} -d {_quoted(verb.says)}")
        command, options = verb.declared()
        for one in declared(options, command.name).values():
            if not one.positional:
                after = f"complete -c bringup -n '__fish_seen_subcommand_from {shown(name)}'"
                choices = f" -x -a {_quoted(' '.join(one.choices))}" if one.choices else ""
                flag = one.flag.removeprefix("--")
                lines.append(f"{after} -l {flag} -d {_quoted(one.help)}{choices}")
    return lines


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
