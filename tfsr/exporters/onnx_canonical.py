"""An ONNX graph whose order and names follow from what it computes, and from nothing else.

tf2onnx numbers its names by a counter of the process, and walks sets of names, whose order differs
from one process to the next: the same model would give other bytes each time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any


def make_canonical(model: Any) -> None:
    """Rename and sort everything in a model but its inputs and outputs, in place.

    Unknown sizes lose their names.

    Nodes that compute the same from the same are merged. Nothing may be random, and every node is
    of use.

    Args:
        model: a protocol buffer of `onnx`.
    """
    _rewrite(model.graph, {}, {}, "")
    model.graph.name, model.doc_string = "tfsr", ""
    opsets = sorted(model.opset_import, key=lambda opset: opset.domain)
    _replace(model.opset_import, opsets)


def _rewrite(graph: Any, keys: Mapping[str, str], names: Mapping[str, str], prefix: str) -> None:
    """Rewrite a graph; keys and new names are by the old names of the graphs around it."""
    names = dict(names)
    keys, nodes = _keys(graph, keys, prefix)
    for i, value in enumerate(graph.input):
        names[value.name] = value.name = f"{prefix}input_{i}" if prefix else value.name
    tensors = {keys[tensor.name]: tensor for tensor in graph.initializer}
    order = {key: f"{prefix}constant_{i}" for i, key in enumerate(sorted(tensors))}
    names |= {tensor.name: order[keys[tensor.name]] for tensor in graph.initializer}
    unique = {key: (depth, key, node) for depth, key, node in nodes}
    ordered = sorted(unique.values(), key=lambda item: item[:2])
    for i, (_, key, _) in enumerate(ordered):
        order[key] = f"{prefix}value_{i}"
    for _, key, node in nodes:
        for i, old in enumerate(node.output):
            names[old] = f"{order[key]}_{i}" if i else order[key]
    for _, key, node in ordered:
        _rewrite_node(node, keys, names, order[key])
    for key, tensor in tensors.items():
        tensor.name = order[key]
    _replace(graph.node, [node for *_, node in ordered])
    _replace(graph.initializer, [tensors[key] for key in sorted(tensors)])
    for i, value in enumerate(graph.output):
        # The names of outputs stay, or two outputs may have been merged.
        _add_identity(graph, names[value.name], f"{prefix}output_{i}" if prefix else value.name)
        value.name = graph.node[-1].output[0]
    for value in (*graph.input, *graph.output):
        for dim in value.type.tensor_type.shape.dim:
            dim.ClearField("dim_param")
    graph.name, graph.doc_string = prefix, ""
    del graph.value_info[:]


def _rewrite_node(node: Any, keys: Mapping[str, str], names: Mapping[str, str], name: str) -> None:
    node.name, node.doc_string = name, ""
    node.input[:] = [names[old] if old else "" for old in node.input]
    node.output[:] = [names[old] if old else "" for old in node.output]
    for attribute in node.attribute:
        if attribute.HasField("g"):
            _rewrite(attribute.g, keys, names, f"{name}.{attribute.name}.")
    _replace(node.attribute, sorted(node.attribute, key=lambda attribute: attribute.name))


def _add_identity(graph: Any, source: str, name: str) -> None:
    node = graph.node.add()
    node.op_type, node.name = "Identity", name
    node.input.append(source)
    node.output.append(name)


def _keys(
    graph: Any, keys: Mapping[str, str], prefix: str
) -> tuple[dict[str, str], list[tuple[int, str, Any]]]:
    """What each value is, as a digest, by its name; and depth, digest and node of each node."""
    keys, nodes = dict(keys), []
    depths: dict[str, int] = {}
    for i, value in enumerate(graph.input):
        keys[value.name] = _digest("input", prefix, i)
    for tensor in graph.initializer:
        keys[tensor.name] = _digest("constant", _without_name(tensor))
    for node in graph.node:
        key, depth = _key(node, keys, prefix), 1 + max(map(lambda x: depths.get(x, 0), _read(node)))
        nodes.append((depth, key, node))
        for i, name in enumerate(node.output):
            keys[name], depths[name] = _digest(key, i), depth
    return keys, nodes


def _key(node: Any, keys: Mapping[str, str], prefix: str) -> str:
    attributes = []
    for attribute in sorted(node.attribute, key=lambda attribute: attribute.name):
        if attribute.HasField("g"):
            inner, _ = _keys(attribute.g, keys, f"{prefix}{attribute.name}.")
            content: Any = [inner[value.name] for value in attribute.g.output]
        elif attribute.HasField("t"):
            content = _without_name(attribute.t)
        else:
            content = attribute.SerializeToString(deterministic=True)
        attributes.append((attribute.name, content))
    inputs = [keys[name] if name else "" for name in node.input]
    return _digest(node.op_type, node.domain, inputs, [*map(bool, node.output)], attributes)


def _read(node: Any) -> Iterator[str]:
    """The names of all that a node, or a graph inside it, reads."""
    yield ""
    yield from node.input
    for attribute in node.attribute:
        for inner in attribute.g.node:
            yield from _read(inner)
        yield from (value.name for value in attribute.g.output)


def _without_name(tensor: Any) -> bytes:
    name, tensor.name = tensor.name, ""
    content = tensor.SerializeToString(deterministic=True)
    tensor.name = name
    return content


def _digest(*parts: Any) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def _replace(field: Any, items: list[Any]) -> None:
    """Replace the content of a repeated field."""
    copies = [type(item).FromString(item.SerializeToString()) for item in items]
    del field[:]
    field.extend(copies)
