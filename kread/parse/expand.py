"""Macro expansion on tokens, as a C preprocessor does it, with the origin of every token kept.

Most calls that a kernel function makes through macros stand nowhere in its text. To find them the macros are
expanded: arguments first, then `#` and `##`, then the result is scanned again together with what follows it, and a
name met inside its own expansion stays as it is (6.10.5 of the C standard; where the standard leaves a choice, as
GCC does).

The scan is a stack of pending tokens. A macro's expansion is pushed on it above an end mark; while the mark is on the
stack the macro's name is disabled, and a token of that name is painted: it stays a name for ever.

Each token remembers where it was written (`Origin`): in the text itself ("src"), in an argument of a macro used in
the text ("arg"), in a macro's body ("body"), or nowhere ("paste", made by `##`); through which macros it came, and
under which presence conditions these are defined.

A name may have several definitions, under different conditions. `expand` takes one of each (the first, or what
`choose` says); `expansions` runs once for each alternative, so that each is seen at least once in each macro that
uses it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from kread.parse.expansion import ARG, SRC, Expansion, Origin, Token, spell
from kread.parse.pending import MARK, ahead, fitting
from kread.parse.substitute import Substitution
from kread.parse.template import Macro, Template, compile_macro
from kread.parse.tokens import is_word, lex

__all__ = ["ARG", "SRC", "Expander", "Expansion", "Macro", "Origin", "Token", "spell"]

#: One expansion may make this many tokens: the kernel's worst legitimate lines (nested min/max) make some 20,000,
#: and a text built to grow without end must stop somewhere.
MAX_TOKENS = 60_000

#: How many times one text is expanded to see all alternatives of the macros it uses: real uses need below ten.
MAX_EXPANSIONS = 48

#: Names that every use changes: one word that can be pasted, so that equal texts expand alike.
_PLACEHOLDERS = {"__COUNTER__": "N", "__LINE__": "N"}


class Expander:
    """Expands texts with the macros that `lookup` gives for a name (none: the name is no macro).

    skip       -- names that stay as written: macros known to hold no call (see kread.parse.bearing)
    compatible -- whether presence conditions can hold together; alternatives that cannot are not tried

    `cut` counts, by the text, what was left out because a limit was hit.
    """

    def __init__(
        self,
        lookup: Callable[[str], Sequence[Macro]],
        *,
        skip: Callable[[str], bool] | None = None,
        compatible: Callable[[tuple[str, ...]], bool] | None = None,
    ) -> None:
        self._lookup = lookup
        self._skip = skip
        self._compatible = compatible
        self._templates: dict[str, tuple[Template, ...] | None] = {}
        self.known: dict[str, tuple[Template, ...] | None] = {}
        self.left: set[str] = set()
        self.cut: dict[str, int] = {}

    def expand(
        self,
        text: str,
        *,
        choose: Callable[[Sequence[Macro]], Macro] | None = None,
        opened: frozenset[str] = frozenset(),
    ) -> Expansion:
        """The expansion of a text with one definition of each name: what `choose` picks, or the first.

        `opened` are names that are expanded though `skip` says no.
        """
        return _Run(self, text, choose, {}, opened).expansion()

    def expansions(self, text: str, *, opened: frozenset[str] = frozenset()) -> list[Expansion]:
        """Expansions that together use each alternative definition at least once in each macro that reaches it.

        The first one takes the first definition everywhere; definitions that cannot hold together are never mixed.
        `opened` are names that are expanded though `skip` says no.
        """
        found: list[Expansion] = []
        waiting: list[tuple[dict[str, int], tuple[str, ...]]] = [({}, ())]
        seen: set[tuple[Macro | None, str, int]] = set()
        while waiting:
            forced, world = waiting.pop(0)
            if len(found) == MAX_EXPANSIONS:
                self.cut[text] = len(waiting) + 1
                break
            run = _Run(self, text, None, forced, opened, world)
            found.append(run.expansion())
            seen.update((parent, name, met.taken) for (parent, name), met in run.met.items())
            for (parent, name), met in run.met.items():
                for choice in met.choices:
                    if (parent, name, choice) not in seen:
                        seen.add((parent, name, choice))
                        presence = met.templates[choice].macro.presence
                        waiting.append(({**forced, name: choice}, (*met.world, presence) if presence else met.world))
        return found

    def templates(self, name: str, *, opened: bool = False) -> tuple[Template, ...] | None:
        """The definitions of a name, prepared; None if it is no macro here or stays as written."""
        if not is_word(name):
            return None
        if not opened and self._skip is not None and self._skip(name):
            self.left.add(name)
            return None
        if name not in self._templates:
            definitions = self._lookup(name)
            if not definitions and name in _PLACEHOLDERS:
                definitions = (Macro(name, None, _PLACEHOLDERS[name]),)
            self._templates[name] = tuple(map(compile_macro, definitions)) or None
        return self._templates[name]


class _Met(NamedTuple):
    """A choice among definitions: which was taken, which could be, and what the choices before it need."""

    taken: int
    choices: tuple[int, ...]
    templates: tuple[Template, ...]
    world: tuple[str, ...]


class _Run:
    """One pass over one text: the stack's state, the choices made and the macros met."""

    def __init__(
        self,
        expander: Expander,
        text: str,
        choose: Callable[[Sequence[Macro]], Macro] | None,
        forced: dict[str, int],
        opened: frozenset[str],
        world: tuple[str, ...] = (),
    ) -> None:
        self.met: dict[tuple[Macro | None, str], _Met] = {}
        self._world = world
        self._expander = expander
        self._known = expander.known
        self._opened = opened
        self._text = text
        self._choose = choose
        self._forced = forced
        self._disabled: set[str] = set()
        self._used: dict[int, Macro] = {}  # by identity: a macro's hash is that of all its text
        self._left = MAX_TOKENS

    def expansion(self) -> Expansion:
        tokens: list[Token] = []
        at = 0
        for blank, text in lex(self._text):
            at += len(blank)
            tokens.append((text, bool(blank), at, SRC, False))
            at += len(text)
        raw: dict[int, list[Token]] = {}
        out = self._scan(tokens, raw)
        macros = tuple(self._used.values())
        presences = tuple(dict.fromkeys(macro.presence for macro in macros if macro.presence))
        return Expansion(out, macros, presences, raw)

    def _scan(self, tokens: list[Token], raw: dict[int, list[Token]] | None = None) -> list[Token]:
        """Expand tokens as if nothing followed them. `raw`: where to note the arguments of macros left as written."""
        pending = tokens[::-1]
        pop = pending.pop
        known = self._known
        opened = self._opened
        left = self._expander.left
        disabled = self._disabled
        out: list[Token] = []
        append = out.append
        while pending:
            token = pop()
            text = token[0]
            try:
                templates = known[text]
            except KeyError:
                if text[0] == MARK:
                    disabled.discard(text[1:])
                    continue
                templates = known[text] = self._expander.templates(text)
            if templates is None and text in opened:
                templates = self._expander.templates(text, opened=True)
            if templates is None or token[4]:
                if raw is not None and text in left and pending and pending[-1][0] == "(":
                    raw[len(out)] = [token for token, _ in ahead(pending)]
                append(token)
            elif text in disabled:
                append((text, token[1], token[2], token[3], True))
            else:
                template = templates[0] if len(templates) == 1 else self._pick(token, templates, pending)
                if template.arity >= 0:
                    while pending and pending[-1][0][0] == MARK:
                        disabled.discard(pop()[0][1:])
                    if not pending or pending[-1][0] != "(":
                        append(token)
                        continue
                if self._left < template.size:
                    self._expander.cut[self._text] = self._expander.cut.get(self._text, 0) + 1
                    append(token)
                    continue
                if not self._enter(token, template, pending):
                    append(token)
        return out

    def _argument(self, tokens: list[Token]) -> list[Token]:
        """An argument expanded. Most are one token that is no macro."""
        if len(tokens) == 1:
            text = tokens[0][0]
            if self._known.get(text, ()) is None and text not in self._opened:
                return tokens
        return self._scan(tokens)

    def _enter(self, token: Token, template: Template, pending: list[Token]) -> bool:
        """Replace an invocation by its expansion on the stack. False if its arguments do not fit."""
        text, space, at, origin, _ = token
        args: list[list[Token]] = []
        if template.arity >= 0:
            collected = self._collect(pending, template)
            if collected is None:
                return False
            args = collected
        macro = template.macro
        presences = origin.presences
        if macro.presence and macro.presence not in presences:
            presences = (*presences, macro.presence)
        inside = Origin("body", macro, (*origin.macros, macro), presences)
        self._used[id(macro)] = macro
        body = Substitution(self._argument, template, args, inside, at).tokens(template.parts)
        self._left -= len(body)
        pending.append((MARK + text, False, 0, SRC, False))
        self._disabled.add(text)
        if body:
            first = body[0]
            if first[1] != space:
                body[0] = (first[0], space, first[2], first[3], first[4])
            body.reverse()
            pending.extend(body)
        return True

    def _collect(self, pending: list[Token], template: Template) -> list[list[Token]] | None:
        """Take the arguments in parentheses off the stack; None (and nothing taken) if they do not fit."""
        disabled = self._disabled
        taken: list[Token] = [pending.pop()]
        args: list[list[Token]] = [[]]
        current = args[0]
        last = template.arity if template.variadic else -1
        depth = 0
        while pending:
            token = pending.pop()
            text = token[0]
            if text[0] == MARK:
                disabled.discard(text[1:])
                continue
            taken.append(token)
            if text in "(),":
                if text == "(":
                    depth += 1
                elif text == ")":
                    if depth == 0:
                        break
                    depth -= 1
                elif text == "," and depth == 0 and len(args) != last:
                    current = []
                    args.append(current)
                    continue
            elif text in disabled and not token[4]:
                token = (text, token[1], token[2], token[3], True)
            current.append(token if token[3] is not SRC else (text, token[1], token[2], ARG, token[4]))
        else:
            pending.extend(reversed(taken))
            return None
        count = template.arity
        if count == 0 and len(args) == 1 and not args[0]:
            return []
        if len(args) != count and not (template.variadic and len(args) == count - 1):
            pending.extend(reversed(taken))
            return None
        return args

    def _pick(self, token: Token, templates: tuple[Template, ...], pending: list[Token]) -> Template:
        """One of several definitions, remembered in `met` with the alternatives that could stand there as well."""
        text, _, _, origin, _ = token
        choices = fitting(templates, pending)
        if self._choose is not None:
            chosen = self._choose([templates[i].macro for i in choices])
            return next((t for t in templates if t.macro is chosen), templates[choices[0]])
        world = self._world
        compatible = self._expander._compatible
        if compatible is not None:
            held = tuple(dict.fromkeys((*world, *origin.presences)))
            together = tuple(i for i in choices if compatible((*held, *filter(None, (templates[i].macro.presence,)))))
            choices = together or choices
        taken = self._forced.get(text, choices[0])
        if taken not in choices:
            taken = choices[0]
        self.met.setdefault((origin.macro, text), _Met(taken, choices, templates, world))
        needed = templates[taken].macro.presence
        if needed and needed not in world:
            self._world = (*world, needed)
        return templates[taken]
