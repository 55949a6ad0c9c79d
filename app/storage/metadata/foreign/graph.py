"""Walks a ComfyUI graph against its links: every walk ends, in loops too, and guesses nothing."""

from __future__ import annotations

import re

from app.storage.metadata.foreign.nodes import Link, Node, Nodes, link_of

MOST_STEPS = 50_000  # of all walks: many links may lead to one node
MOST_DEPTH = 200
SIDES = ('positive', 'negative')
# Where the outputs of the two conditionings do not begin with the first.
LATER_OUTPUTS = {'Efficient Loader': 1, 'Eff. Loader SDXL': 1}
LATER_OUTPUTS |= {'ApplyInstantID': 1, 'ApplyInstantIDAdvanced': 1}
LATER_OUTPUTS |= {'Context (rgthree)': 4, 'Context Big (rgthree)': 4}
LATER_OUTPUTS |= {'easy pipeEdit': 2, 'ttN pipeEDIT': 2}
SAMPLED = ('seed', 'noise_seed', 'sigmas', 'steps')
TEXTS = (
    *('text', 'text_g', 'text_l', 'clip_l', 'clip_g', 't5xxl', 'llama', 'prompt'),
    *('user_prompt', 'bert', 'mt5xl', 'tags', 'caption', 'populated_text'),
)
RESULTS = ('populated_text', 'result', 'text_0')  # what a node of texts made, written down
STRINGS = (
    'source',
    'anything',
    'value',
    'string',
    'text',
    'prompt',
    'Text',
    'positive',
    'negative',
)
NUMBERS = ('value', 'seed', 'noise_seed', 'int', 'float', 'number', 'Number', 'Value')
CHOICES = ('select', 'index', 'Input', 'input', 'switch', 'boolean', 'value')
CONDITIONINGS = re.compile(r'(?i)cond(itioning)?s?_?(to|from|new|default|[0-9a-z])?')
JOINED = re.compile(r'(?i)(text|string|str|prompt|input)_?[a-z0-9]')
JOINS = re.compile(r'(?i)concat|join')
PIPES = re.compile(r'(?i)\w*pipe|context|base_ctx|ctx_\d+|sdxl_tuple')
TEXT_NODES = re.compile(
    r'(?i)(?!.*(llm|gpt|llama|gemini|caption|interrogat|tagger|style|translat|generat|enhanc|random'
    r'|replac|substr|split|slice|extract|truncat|regex|remov|file))'
    r'.*(primitive|string|text|prompt|wildcard|constant|literal|show|display|preview|value'
    r'|positive|negative)'
)


class UntoldError(ValueError):
    """A text that the graph does not tell."""


def is_sampler(node: Node) -> bool:
    links = dict(node.links())
    is_led = any(name in ('positive', 'text_embeds') or PIPES.fullmatch(name) for name in links)
    return 'guider' in links or (is_led and any(name in node.inputs for name in SAMPLED))


class Graph:
    """The nodes of one graph, and how far it has been walked."""

    def __init__(self, nodes: Nodes) -> None:
        self._nodes = nodes
        self._steps = 0

    def ahead_of(self, *names: str) -> set[str]:
        """Return the nodes that these get anything from."""
        found, left = set[str](), [*names]
        while left:
            for _, (origin, _) in self._nodes[left.pop()].links():
                self._count()
                if origin in self._nodes and origin not in found:
                    found.add(origin)
                    left.append(origin)
        return found

    def node_at(self, node: Node, name: str) -> Node | None:
        """Return the node that an input comes from, behind reroutes and switches."""
        link = link_of(node.inputs.get(name))
        try:
            return self._nodes[self._origin(link)[0]] if link else None
        except UntoldError:
            return None

    def number(self, value: object, name: str = '') -> object:
        """Return a value, or the one of a name or any of the node it is linked to, or None."""
        link = link_of(value)
        if link is None:
            return value if isinstance(value, str | int | float) else None
        try:
            node = self._nodes[self._origin(link)[0]]
        except UntoldError:
            return None
        told = (node.inputs[key] for key in (name, *NUMBERS) if key in node.inputs)
        return next((one for one in told if isinstance(one, str | int | float)), None)

    def nearest(self, node: Node, through: str, name: str) -> object:
        """Return the first value of a name, from a node on along the inputs of another name."""
        seen = list[Node]()
        current: Node | None = node
        while current and current not in seen:
            self._count()
            value = self.number(current.inputs.get(name), name)
            if value not in (None, ''):
                return value
            seen.append(current)
            current = self._before(current, through)
        return None

    def texts(self, node: Node, role: str) -> list[str]:
        """Return the texts that lead to a side of a sampler or guider; raise UntoldError."""
        link = link_of(node.inputs.get(role))
        if link:
            return self._texts(link, role, 0)
        if 'text_embeds' in node.inputs:
            return self._embedded(self.node_at(node, 'text_embeds'), role)
        pipe = _pipe_of(node)
        if pipe:
            return self._piped(pipe, role, 0)
        if role == SIDES[1]:
            return []
        links = [link for name, link in node.links() if CONDITIONINGS.fullmatch(name)]
        return [text for link in links for text in self._texts(link, role, 0)]

    def text(self, value: object) -> str:
        """Return a text, or the one of the node it is linked to; raise UntoldError."""
        return self._text(value, 0)

    def _embedded(self, embeds: Node | None, role: str) -> list[str]:
        inputs = embeds.inputs if embeds else {}
        link = link_of(inputs.get(role))
        if link:
            return self._texts(link, role, 0)
        written = [f'{role}_prompt', *(['prompt'] if role == SIDES[0] else [])]
        for key in written:
            if key in inputs:
                return [self._text(inputs[key], 0)]
        if role == SIDES[1]:
            return []
        raise UntoldError('a text made elsewhere')

    def _texts(self, link: Link, role: str, depth: int) -> list[str]:
        name, output = self._origin(link, depth)
        node = self._nodes[name]
        if 'ZeroOut' in node.kind:
            return []
        if all(side in node.inputs for side in SIDES):
            side = self._side(name, output, role)
            given = node.inputs[side]
            further = link_of(given)
            if further and 'TextEncode' not in node.kind and self._is_conditioning(further):
                return self._texts(further, side, depth + 1)
            return [self._text(given, depth + 1)]
        links = [way for key, way in node.links() if CONDITIONINGS.fullmatch(key)]
        if links:
            return [text for way in links for text in self._texts(way, role, depth + 1)]
        written = [key for key in TEXTS if key in node.inputs]
        if written:
            return [self._text(node.inputs[key], depth + 1) for key in written]
        return self._piped(link, role, depth + 1)

    def _side(self, name: str, output: int, role: str) -> str:
        """Return which of its two sides a node passes on at an output."""
        node = self._nodes[name]
        if not all(link_of(node.inputs[side]) for side in SIDES):
            return role  # a loader with both texts in it
        used = {
            link[1]
            for one in self._nodes.values()
            for key, link in one.links()
            if link[0] == name and key in SIDES
        }
        first = LATER_OUTPUTS.get(node.kind, 1 if 2 in used else 0)
        if output - first not in (0, 1):
            raise UntoldError(node.kind)
        return SIDES[output - first]

    def _is_conditioning(self, link: Link) -> bool:
        """Check whether a link leads to more than a text."""
        kind = self._nodes[self._origin(link)[0]].kind
        return 'Encode' in kind or not TEXT_NODES.match(kind)

    def _piped(self, link: Link, role: str, depth: int) -> list[str]:
        node = self._nodes[self._origin(link, depth)[0]]
        further = link_of(node.inputs.get(role))
        if further:
            return self._texts(further, role, depth + 1)
        if isinstance(node.inputs.get(role), str):
            return [str(node.inputs[role])]
        pipe = _pipe_of(node)
        if pipe is None:
            raise UntoldError(node.kind)
        return self._piped(pipe, role, depth + 1)

    def _text(self, value: object, depth: int) -> str:
        """Return a text, or the one that a node of plain texts gives; raise UntoldError."""
        link = link_of(value)
        if link is None:
            if isinstance(value, str):
                return value.strip()
            raise UntoldError('no text')
        node = self._nodes[self._origin(link, depth)[0]]
        if JOINS.search(node.kind):
            parts = [self._text(one, depth + 1) for key, one in node.inputs.items()
                     if JOINED.fullmatch(key)]  # fmt: skip
            delimiter = str(node.inputs.get('delimiter', node.inputs.get('separator', '')))
            return delimiter.replace('\\n', '\n').join(filter(None, parts))
        for one in RESULTS:
            if isinstance(node.inputs.get(one), str):
                return str(node.inputs[one])
        name = next((one for one in STRINGS if one in node.inputs), None)
        others = [key for key, _ in node.links() if key != name]
        if name is None or others or not TEXT_NODES.match(node.kind):
            raise UntoldError(node.kind)
        return self._text(node.inputs[name], depth + 1)

    def _origin(self, link: Link, depth: int = 0) -> Link:
        """Follow reroutes and switches to the node that makes something; raise UntoldError."""
        for _ in range(MOST_DEPTH - depth):
            self._count()
            node = self._nodes.get(link[0])
            if node is None:
                break
            if 'switch' in node.kind.lower() and not _pipe_of(node):
                link = self._switched(node)
            elif 'Reroute' in node.kind and (ways := [way for _, way in node.links()]):
                link = ways[0]
            else:
                return link
        raise UntoldError('a loop, or a missing node')

    def _switched(self, node: Node) -> Link:
        given = (self.number(node.inputs[key]) for key in CHOICES if key in node.inputs)
        chosen = next((one for one in given if one is not None), None)
        for key, link in node.links():
            number = re.search(r'\d+$', key)
            if chosen is None and key.startswith('any_'):  # the first that there is
                return link
            if isinstance(chosen, bool) and key.endswith(str(chosen).lower()):
                return link
            if not isinstance(chosen, bool) and number and str(int(number[0])) == str(chosen):
                return link
        raise UntoldError(node.kind)

    def _before(self, node: Node, through: str) -> Node | None:
        """Return the node before one: by an input of a name, its only conditioning, its pipe."""
        keys = [through] if through in node.inputs else []
        if not keys and through in ('positive', 'conditioning'):
            keys = [key for key, _ in node.links() if CONDITIONINGS.fullmatch(key)]
        keys = keys or [key for key, _ in node.links() if PIPES.fullmatch(key)]
        return self.node_at(node, keys[0]) if len(keys) == 1 else None

    def _count(self) -> None:
        self._steps += 1
        if self._steps > MOST_STEPS:
            raise ValueError('too many links')


def _pipe_of(node: Node) -> Link | None:
    return next((link for name, link in node.links() if PIPES.fullmatch(name)), None)
