"""GGUF version 3: metadata and tensors out of a file, and into one. Only for files whose checksum has been checked."""
import struct

from . import MakeError

# Value types, and the tensor types that occur here (values a block, bytes a block).
U32, I32, F32, BOOL, STRING, ARRAY = 4, 5, 6, 7, 8, 9
SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", U32: "I", I32: "i", F32: "f", BOOL: "?", 10: "Q", 11: "q", 12: "d"}
BLOCKS = {0: (1, 4), 6: (32, 22), 8: (32, 34), 12: (256, 144), 14: (256, 210)}
ALIGNMENT = 32


class Reader:
    """Walks the header of a GGUF file whose checksum has been checked."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def unpack(self, form):
        value = struct.unpack_from("<" + form, self.data, self.at)[0]
        self.at += struct.calcsize("<" + form)
        return value

    def string(self):
        length = self.unpack("Q")
        self.at += length
        return self.data[self.at - length : self.at]

    def value(self, kind):
        if kind == STRING:
            return self.string()
        if kind == ARRAY:
            inner, count = self.unpack("I"), self.unpack("Q")
            return inner, [self.value(inner) for _ in range(count)]
        return self.unpack(SCALARS[kind])


def read_gguf(data):
    """Returns (metadata {key: (type, value)}, tensors [(name, shape innermost first, type, bytes)])."""
    reader = Reader(data)
    if reader.unpack("I") != 0x46554747 or reader.unpack("I") != 3:
        raise MakeError("the original is not GGUF version 3")
    tensor_count, key_count = reader.unpack("Q"), reader.unpack("Q")
    metadata = {}
    for _ in range(key_count):
        key = reader.string().decode()
        kind = reader.unpack("I")
        metadata[key] = (kind, reader.value(kind))
    heads = []
    for _ in range(tensor_count):
        name = reader.string().decode()
        shape = [reader.unpack("Q") for _ in range(reader.unpack("I"))]
        heads.append((name, shape, reader.unpack("I"), reader.unpack("Q")))
    start = (reader.at + ALIGNMENT - 1) // ALIGNMENT * ALIGNMENT
    view = memoryview(data)
    tensors = []
    for name, shape, kind, offset in heads:
        size = tensor_bytes(shape, kind)
        tensors.append((name, shape, kind, view[start + offset : start + offset + size]))
    return metadata, tensors


def tensor_bytes(shape, kind):
    values, size = BLOCKS[kind]
    count = 1
    for extent in shape:
        count *= extent
    return count // values * size


def packed_value(kind, value):
    if kind == STRING:
        return struct.pack("<Q", len(value)) + value
    if kind == ARRAY:
        inner, items = value
        return struct.pack("<IQ", inner, len(items)) + b"".join(packed_value(inner, item) for item in items)
    return struct.pack("<" + SCALARS[kind], value)


def gguf_chunks(metadata, tensors):
    """The new file's bytes, in pieces."""
    head = bytearray(struct.pack("<IIQQ", 0x46554747, 3, len(tensors), len(metadata)))
    for key, (kind, value) in metadata.items():
        head += packed_value(STRING, key.encode()) + struct.pack("<I", kind) + packed_value(kind, value)
    offset = 0
    for name, shape, kind, data in tensors:
        head += packed_value(STRING, name.encode()) + struct.pack("<I", len(shape))
        head += struct.pack(f"<{len(shape)}QIQ", *shape, kind, offset)
        offset += len(data) + -len(data) % ALIGNMENT
    yield bytes(head) + bytes(-len(head) % ALIGNMENT)
    for _, _, _, data in tensors:
        yield data
        yield bytes(-len(data) % ALIGNMENT)
