"""Every public function of a concept refuses what would mislead in silence.

From the valid inputs of `tests/contracts/<word>.py` each kind of damage is made that a
function of this book once took for an answer. A damaged input must raise a `ValueError` or a
`TypeError`, or give what is visibly no answer (NaN out for NaN in, nothing for nothing).
"""

import dataclasses
import importlib
import inspect
import pkgutil
import re

import pytest
import torch
from torch import Tensor, nn

import contracts
from dlbook.checkout import chapters

WORDS = [info.name for info in pkgutil.iter_modules(contracts.__path__)]
CASES = [
    (word, name, contract)
    for word in WORDS
    for name, contract in importlib.import_module(f"contracts.{word}").CONTRACTS.items()
]
TRIED = [case for case in CASES if case[2].device == "cpu" or torch.cuda.is_available()]
REFUSED = (ValueError, TypeError)


def function_of(word, name):
    found = importlib.import_module(f"dlbook.{word}")
    for part in name.split("."):
        found = getattr(found, part)
    return found


def public_functions_of(word):
    module = importlib.import_module(f"dlbook.{word}")
    return {
        name
        for name, value in vars(module).items()
        if inspect.isfunction(value)
        and value.__module__ == module.__name__
        and not name.startswith("_")
    }


@pytest.mark.parametrize("word", chapters())
def test_every_public_function_has_its_contract(word):
    assert word in WORDS, f"tests/contracts/{word}.py: missing"
    listed = {name for case, name, _ in CASES if case == word}
    missing = public_functions_of(word) - listed
    assert not missing, f"tests/contracts/{word}.py: no valid input for {sorted(missing)}"


def tensors_in(value):
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, nn.Module):
        yield from (*value.parameters(), *value.buffers())
    elif isinstance(value, dict):
        for part in value.values():
            yield from tensors_in(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from tensors_in(part)
    elif hasattr(value, "__dataclass_fields__"):
        yield from tensors_in(vars(value))


def answered(word, name, arguments):
    """Call the function; a generator is asked for all that it yields, an iterator too.

    Arguments named "*first", "*second" go into a `*tensors` behind the others.
    """
    torch.manual_seed(0)
    if any(key.startswith("*") for key in arguments):
        return function_of(word, name)(*arguments.values())
    answer = function_of(word, name)(**arguments)
    return list(answer) if inspect.isgenerator(answer) else answer


def numbers_in(value):
    if isinstance(value, bool | int | float):
        yield torch.tensor(float(value), dtype=torch.float64)
    elif isinstance(value, Tensor):
        yield value.detach().double()
    elif isinstance(value, dict):
        for part in value.values():
            yield from numbers_in(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from numbers_in(part)
    elif hasattr(value, "__dataclass_fields__"):
        yield from numbers_in(vars(value))
    else:
        yield from (tensor.detach().double() for tensor in tensors_in(value))


def same(first, second, tolerance=1e-5):
    first, second = list(numbers_in(first)), list(numbers_in(second))
    return len(first) == len(second) and all(
        a.numel() == b.numel()
        and torch.allclose(
            a.flatten(), b.flatten(), rtol=tolerance, atol=tolerance, equal_nan=True
        )
        for a, b in zip(first, second, strict=True)
    )


def floats(arguments):
    return [
        name
        for name, value in arguments.items()
        if isinstance(value, Tensor) and value.is_floating_point()
    ]


def with_nan(tensor):
    tensor = tensor.clone(memory_format=torch.contiguous_format)
    tensor.view(-1)[-1] = float("nan")
    return tensor


def damages(contract):
    """Yield each damage: its name, the damaged argument, and what else than an error is right."""
    arguments = contract.make()
    tensors = {n: v for n, v in arguments.items() if isinstance(v, Tensor) and v.ndim}
    lengths = [len(value) for value in tensors.values()]
    for name, value in tensors.items():
        if name not in contract.labels and value.is_floating_point():
            yield from damaged_floats(name, value)
        if value.ndim == 1 and len(value) > 1:
            yield f"column {name}", {name: value[:, None]}, equals_valid
        if len(value) > 1 and lengths.count(len(value)) > 1:
            yield f"short {name}", {name: value[:-1]}, never
    for name, convention in contract.labels.items():
        for damage, value in damaged_labels(arguments[name], convention):
            yield f"{damage} {name}", {name: value}, never
    for name, values in contract.refused.items():
        names = [f"{name} = {shown(value)}" for value in values]
        for place, (called, value) in enumerate(zip(names, values, strict=True)):
            again = names[:place].count(
                called
            )  # two tensors of one shape are two damages
            yield f"{called} ({again + 1})" if again else called, {name: value}, never


def damaged_floats(name, value):
    yield f"nan {name}", {name: with_nan(value)}, shows_nan
    yield f"bytes {name}", {name: (value * 0 + 200).byte()}, equals_floats
    if len(value):
        yield f"empty {name}", {name: value[:0]}, is_empty


def shown(value):
    """Name a value alike in every process: they share the tests by their names."""
    if isinstance(value, Tensor):
        return f"{value.dtype} {tuple(value.shape)}"
    return re.sub(r" at 0x[0-9a-f]+", "", str(getattr(value, "__name__", value)))


def damaged_labels(labels, convention):
    if convention == "signs":
        return [("bits for signs", (labels + 1) / 2), ("bytes for signs", labels.byte())]
    if convention == "bits":
        return [("signs for bits", 2 * labels - 1)]
    negative = labels.clone()
    negative.view(-1)[0] = -1
    return [("negative class", negative), ("float classes", labels + 0.5)]


def never(call, answer, damaged):
    return False


def shows_nan(call, answer, damaged):
    return any(bool(part.isnan().any()) for part in numbers_in(answer))


def is_empty(call, answer, damaged):
    parts = list(numbers_in(answer))
    return bool(parts) and all(part.numel() == 0 for part in parts)


def equals_valid(call, answer, damaged):
    return same(answer, call({}))


def equals_floats(call, answer, damaged):
    """Whole numbers are welcome where they are taken for the floats that they stand for."""
    return same(answer, call({name: value.float() for name, value in damaged.items()}))


DAMAGES = [
    pytest.param(word, name, contract, damage, id=f"{word}.{name}-{damage}")
    for word, name, contract in TRIED
    for damage, _, _ in damages(contract)
]


@pytest.mark.parametrize(("word", "name", "contract", "damage"), DAMAGES)
def test_a_damaged_input_is_refused(word, name, contract, damage):
    changed, accepted = next((c, a) for d, c, a in damages(contract) if d == damage)

    def call(replaced):
        return answered(word, name, contract.make() | replaced)

    try:
        answer = call(changed)
        fine = accepted(call, answer, changed)
        said = f"answered {str(answer)[:200]}"
    except REFUSED:
        fine, said = True, "refused"
    except Exception as error:
        fine, said = False, f"{type(error).__name__}: {str(error)[:200]}"
    where = f"tests/contracts/{word}.py: {name}: {damage}"
    if damage in contract.excused:
        assert not fine, f"{where}: the excuse is not needed ({said})"
    else:
        assert fine, f"{where}: {said}"


EACH = pytest.mark.parametrize(
    ("word", "name", "contract"), [pytest.param(*c, id=f"{c[0]}.{c[1]}") for c in TRIED]
)


@EACH
def test_the_valid_input_is_answered_twice_alike(word, name, contract):
    first = answered(word, name, contract.make())
    assert same(first, answered(word, name, contract.make())), "two answers to one call"
    if contract.excused.get("nan answer") is None:
        assert not any(bool(p.isnan().any()) for p in numbers_in(first)), "NaN"


@EACH
def test_the_arguments_stay_as_they_were(word, name, contract):
    arguments, before = contract.make(), contract.make()
    modes = [
        value.training for value in arguments.values() if isinstance(value, nn.Module)
    ]
    flags = [tensor.requires_grad for tensor in tensors_in(arguments)]
    answered(word, name, arguments)
    changed = not all(
        torch.equal(a.nan_to_num(), b.nan_to_num())
        for a, b in zip(tensors_in(arguments), tensors_in(before), strict=True)
    )
    changed |= flags != [tensor.requires_grad for tensor in tensors_in(arguments)]
    changed |= modes != [
        value.training for value in arguments.values() if isinstance(value, nn.Module)
    ]
    excused = "changes" in contract.excused
    where = f"tests/contracts/{word}.py: {name}"
    assert changed == excused, (
        f"{where}: the excuse is not needed"
        if excused
        else f"{where}: changes its arguments"
    )


def converted(value, change):
    if isinstance(value, Tensor):
        return change(value)
    if isinstance(value, nn.Module):
        like = change(next(value.parameters(), torch.zeros(())).detach().new_zeros(()))
        return value.to(like.device, like.dtype)
    if type(value) in (list, tuple):
        return type(value)(converted(part, change) for part in value)
    if isinstance(value, tuple):  # a named one
        return type(value)(*(converted(part, change) for part in value))
    if hasattr(value, "__dataclass_fields__"):
        parts = {name: getattr(value, name) for name in value.__dataclass_fields__}
        changed = {name: converted(part, change) for name, part in parts.items()}
        return dataclasses.replace(value, **changed)
    return value


@EACH
def test_the_dtype_follows_the_input(word, name, contract):
    arguments = contract.make()
    if not floats(arguments):
        return

    def to_double(tensor):
        return tensor.double() if tensor.is_floating_point() else tensor

    wide = {key: converted(value, to_double) for key, value in arguments.items()}
    answer = answered(word, name, wide)
    narrow = [t for t in tensors_in(answer) if t.is_floating_point()]
    fine = all(tensor.dtype == torch.float64 for tensor in narrow)
    excused = "float64" in contract.excused
    where = f"tests/contracts/{word}.py: {name}"
    assert fine != excused, f"{where}: float64 in, {[t.dtype for t in narrow]} out"


@EACH
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_refused_or_answered_as_well_as_it_can(
    word, name, contract, dtype
):
    """The same rounded numbers in float64 are the judge; what overflows or cancels is found."""

    def in_dtype(wanted):
        def change(tensor):
            return tensor.to(dtype).to(wanted) if tensor.is_floating_point() else tensor

        return {key: converted(value, change) for key, value in contract.make().items()}

    if not floats(contract.make()):
        return
    try:
        fine = same(
            answered(word, name, in_dtype(dtype)),
            answered(word, name, in_dtype(torch.float64)),
            0.05,
        )
    except REFUSED:
        return
    excused = "half" in contract.excused
    assert fine != excused, (
        f"tests/contracts/{word}.py: {name}: {dtype} gives another answer"
    )


OTHER_DEVICES = ["meta", *(["cuda"] if torch.cuda.is_available() else [])]


@pytest.mark.parametrize("device", OTHER_DEVICES)
@EACH
def test_the_device_follows_the_input(word, name, contract, device):
    """On the meta device no value can be asked for; a tensor left on the CPU still is found."""
    arguments = contract.make()
    if not any(True for _ in tensors_in(arguments)):
        return
    moved = {k: converted(v, lambda t: t.to(device)) for k, v in arguments.items()}
    where, excused = f"tests/contracts/{word}.py: {name}", device in contract.excused
    try:
        answer = answered(word, name, moved)
        left = {tensor.device.type for tensor in tensors_in(answer)} - {device}
        said = f"{device} in, {left} out" if left else ""
    except Exception as error:
        said = str(error)
        if device == "meta" and not re.search(r"same device|expected device", said):
            return  # it asked for a value
    assert bool(said) == excused, f"{where}: {said or 'the excuse is not needed'}"


@EACH
def test_the_answer_stays_the_same_far_from_the_origin(word, name, contract):
    arguments = contract.make()
    if not contract.shifted:
        return
    # Multiples of 1/64 stay exact when 1024 is added: what differs then is the function's.
    near = {n: (arguments[n] * 64).round() / 64 for n in contract.shifted}
    far = {n: value + 1024 for n, value in near.items()}
    near, far = (answered(word, name, arguments | moved) for moved in (near, far))
    assert same(near, far, 1e-3), (
        f"tests/contracts/{word}.py: {name}: {near} became {far}"
    )


@EACH
def test_what_is_yielded_does_not_change_afterwards(word, name, contract):
    if not inspect.isgeneratorfunction(function_of(word, name)):
        return
    seen = [
        [part.clone() for part in numbers_in(item)]
        for item in function_of(word, name)(**contract.make())
    ]
    kept = list(function_of(word, name)(**contract.make()))
    assert same(seen, kept), f"tests/contracts/{word}.py: {name}: yields aliases"
