"""Reads what torch.save wrote (a zip archive with a pickle in it) without torch and without running it.

A pickle is a program that may call anything. This reader knows the few names that tensors are built from; every other name
becomes a Stub, which keeps what it is given and does nothing.
"""

import array
import collections
import itertools
import pickle
import zipfile
from dataclasses import dataclass

from . import MakeError

# torch's storage classes -> safetensors' name, bytes a value
FORMATS = {"FloatStorage": ("F32", 4), "HalfStorage": ("F16", 2), "BFloat16Storage": ("BF16", 2),
           "DoubleStorage": ("F64", 8), "LongStorage": ("I64", 8), "IntStorage": ("I32", 4), "ShortStorage": ("I16", 2),
           "CharStorage": ("I8", 1), "ByteStorage": ("U8", 1), "BoolStorage": ("BOOL", 1)}
MOST_PICKLE_BYTES = 256 << 20


@dataclass(frozen=True)
class Storage:
    kind: str
    file: str  # in the archive


@dataclass(frozen=True)
class Tensor:
    storage: Storage
    offset: int  # values
    shape: tuple
    strides: tuple

    @property
    def kind(self):
        return FORMATS[self.storage.kind][0]


class Stub:
    """An object of a class that is not known: its state as attributes, its items in `items`."""

    def __new__(cls, *arguments, **_):
        made = super().__new__(cls)
        made.items = list(arguments)
        return made

    def __setstate__(self, state):
        if isinstance(state, dict):
            self.__dict__.update(state)
        else:
            self.items.append(state)

    def __setitem__(self, key, value):
        self.items.append((key, value))

    def append(self, value):
        self.items.append(value)

    def extend(self, values):
        self.items.extend(values)

    def __call__(self, *arguments, **_):
        return Stub(*arguments)

    def __hash__(self):
        return id(self)


def rebuild_tensor(storage, offset, shape, strides, *_):
    if not isinstance(storage, Storage) or not all(isinstance(n, int) and n >= 0 for n in (offset, *shape, *strides)):
        raise MakeError("a tensor that is not made of one storage")
    return Tensor(storage, offset, tuple(shape), tuple(strides))


class Reader(pickle.Unpickler):
    KNOWN = {("torch._utils", "_rebuild_tensor_v2"): rebuild_tensor,
             ("torch._utils", "_rebuild_parameter"): lambda tensor, *_: tensor,
             ("collections", "OrderedDict"): collections.OrderedDict,
             ("collections", "defaultdict"): lambda *_: {},
             ("torch", "Size"): tuple, ("builtins", "set"): set, ("builtins", "dict"): dict, ("builtins", "list"): list}

    def __init__(self, file, prefix):
        super().__init__(file, encoding="utf-8")
        self.prefix = prefix

    def find_class(self, module, name):
        if name in FORMATS and module in ("torch", "torch.storage"):
            return name
        return self.KNOWN.get((module, name)) or type("Stub", (Stub,), {})

    def persistent_load(self, saved):
        _, kind, key, *_ = saved
        if kind not in FORMATS:
            raise MakeError(f"values of the kind {kind!r} are not read")
        return Storage(kind, f"{self.prefix}data/{key}")


class TorchFile:
    """`tree` is what was saved, with Tensor in place of tensors; values(tensor) reads one."""

    def __init__(self, path):
        try:
            self.archive = zipfile.ZipFile(path)
        except (OSError, zipfile.BadZipFile) as error:
            raise MakeError(f"{path}: expected a file of torch.save as of torch 1.6, a zip archive: {error}") from None
        pickles = [n for n in self.archive.namelist() if n == "data.pkl" or n.endswith("/data.pkl")]
        if len(pickles) != 1 or self.archive.getinfo(pickles[0]).file_size > MOST_PICKLE_BYTES:
            raise MakeError(f"{path}: expected one data.pkl of at most {MOST_PICKLE_BYTES >> 20} MiB in the archive")
        with self.archive.open(pickles[0]) as file:
            try:
                self.tree = Reader(file, pickles[0][:-len("data.pkl")]).load()
            except MakeError:
                raise
            except Exception as error:  # a pickle can go wrong in as many ways as a program
                raise MakeError(f"{path}: its data.pkl cannot be read: {type(error).__name__}: {error}") from None

    def values(self, tensor):
        """The format's name, and the values' bytes in order."""
        kind, size = FORMATS[tensor.storage.kind]
        try:
            data = memoryview(self.archive.read(tensor.storage.file))
        except KeyError:
            raise MakeError(f"the archive lacks {tensor.storage.file}") from None
        last = tensor.offset + sum((n - 1) * s for n, s in zip(tensor.shape, tensor.strides))
        if 0 not in tensor.shape and (last + 1) * size > len(data):
            raise MakeError(f"a tensor of shape {list(tensor.shape)} reaches behind its storage {tensor.storage.file}")
        raw = in_order(data, tensor, size)
        if kind != "F64":
            return kind, raw
        return "F32", array.array("f", array.array("d", bytes(raw))).tobytes()


def in_order(data, tensor, size):
    count = 1
    strides = []
    for n in reversed(tensor.shape):
        strides.insert(0, count)
        count *= n
    first = tensor.offset * size
    if tuple(strides) == tensor.strides or count <= 1:
        return data[first:first + count * size]
    places = itertools.product(*(range(n) for n in tensor.shape))
    starts = (first + size * sum(i * s for i, s in zip(place, tensor.strides)) for place in places)
    return b"".join(data[start:start + size] for start in starts)
