#include "engine/model/gguf.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <limits>
#include <optional>
#include <utility>

namespace cinnabar::engine {
namespace {

static_assert(std::endian::native == std::endian::little, "GGUF is read in place, least significant byte first");

enum class Kind : std::uint32_t { u8, i8, u16, i16, u32, i32, f32, boolean, string, array, u64, i64, f64 };
constexpr std::uint32_t kKindCount = 13;

struct TypeRow {
  std::uint32_t id;
  std::string_view name;
  std::optional<kernels::DType> dtype;  // none: known, but not read by us
};
using kernels::DType;
constexpr std::array kTypes = {
    TypeRow{0, "F32", DType::f32},        TypeRow{1, "F16", DType::f16},        TypeRow{2, "Q4_0", DType::q4_0},
    TypeRow{3, "Q4_1", DType::q4_1},      TypeRow{6, "Q5_0", DType::q5_0},      TypeRow{7, "Q5_1", DType::q5_1},
    TypeRow{8, "Q8_0", DType::q8_0},      TypeRow{9, "Q8_1", std::nullopt},     TypeRow{10, "Q2_K", DType::q2_k},
    TypeRow{11, "Q3_K", DType::q3_k},     TypeRow{12, "Q4_K", DType::q4_k},     TypeRow{13, "Q5_K", DType::q5_k},
    TypeRow{14, "Q6_K", DType::q6_k},     TypeRow{15, "Q8_K", std::nullopt},    TypeRow{16, "IQ2_XXS", std::nullopt},
    TypeRow{17, "IQ2_XS", std::nullopt},  TypeRow{18, "IQ3_XXS", std::nullopt}, TypeRow{19, "IQ1_S", std::nullopt},
    TypeRow{20, "IQ4_NL", DType::iq4_nl}, TypeRow{21, "IQ3_S", std::nullopt},   TypeRow{22, "IQ2_S", std::nullopt},
    TypeRow{23, "IQ4_XS", DType::iq4_xs}, TypeRow{24, "I8", std::nullopt},      TypeRow{25, "I16", std::nullopt},
    TypeRow{26, "I32", std::nullopt},     TypeRow{27, "I64", std::nullopt},     TypeRow{28, "F64", std::nullopt},
    TypeRow{29, "IQ1_M", std::nullopt},   TypeRow{30, "BF16", DType::bf16},     TypeRow{34, "TQ1_0", std::nullopt},
    TypeRow{35, "TQ2_0", std::nullopt},   TypeRow{39, "MXFP4", DType::mxfp4},
};

std::string type_text(std::uint32_t id) {
  for (const auto& row : kTypes)
    if (row.id == id) return std::string(row.name);
  return "number " + std::to_string(id);
}

std::optional<DType> dtype_of(std::uint32_t id) {
  for (const auto& row : kTypes)
    if (row.id == id) return row.dtype;
  return std::nullopt;
}

std::string readable_types() {
  std::string text;
  for (const auto& row : kTypes)
    if (row.dtype) text += (text.empty() ? "" : " ") + std::string(row.name);
  return text;
}

std::string of(std::uint64_t index, std::uint64_t count) {
  return std::to_string(index + 1) + " of " + std::to_string(count);
}

// Reads forward and never past the end. After the first failure everything reads as zero and the failure stays.
class Cursor {
 public:
  explicit Cursor(std::span<const std::byte> file) : file_(file) {}

  const Status& status() const { return status_; }
  bool ok() const { return status_.ok(); }
  std::size_t position() const { return position_; }
  std::uint64_t remaining() const { return file_.size() - position_; }
  void fail(const std::string& message) {
    if (ok()) status_ = Status::error(message);
  }

  template <typename T>
  T number(const char* what) {
    T value{};
    if (!has(sizeof(T), what)) return value;
    std::memcpy(&value, file_.data() + position_, sizeof(T));
    position_ += sizeof(T);
    return value;
  }

  std::string string(const char* what, std::uint64_t limit) {
    const auto length = number<std::uint64_t>(what);
    if (ok() && length > limit)
      fail(std::string(what) + ": expected at most " + std::to_string(limit) + " bytes, found " +
           std::to_string(length));
    if (!has(length, what)) return {};
    std::string text(reinterpret_cast<const char*>(file_.data()) + position_, length);
    position_ += length;
    return text;
  }

 private:
  bool has(std::uint64_t bytes, const char* what) {
    if (ok() && bytes > remaining())
      fail(std::string(what) + ": expected " + std::to_string(bytes) + " bytes at offset " + std::to_string(position_) +
           ", found the end of the file after " + std::to_string(remaining()));
    return ok();
  }

  std::span<const std::byte> file_;
  std::size_t position_ = 0;
  Status status_;
};

// A scalar of an integer kind, as a signed 64-bit number; fails when it does not fit.
std::int64_t integer(Cursor& cursor, Kind kind, const char* what) {
  switch (kind) {
    case Kind::u8:
      return cursor.number<std::uint8_t>(what);
    case Kind::i8:
      return cursor.number<std::int8_t>(what);
    case Kind::u16:
      return cursor.number<std::uint16_t>(what);
    case Kind::i16:
      return cursor.number<std::int16_t>(what);
    case Kind::u32:
      return cursor.number<std::uint32_t>(what);
    case Kind::i32:
      return cursor.number<std::int32_t>(what);
    case Kind::i64:
      return cursor.number<std::int64_t>(what);
    case Kind::boolean:
      return cursor.number<std::uint8_t>(what) != 0;
    default:
      break;
  }
  const auto value = cursor.number<std::uint64_t>(what);
  if (value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
    cursor.fail(std::string(what) + ": the number " + std::to_string(value) + " is too large");
  return static_cast<std::int64_t>(value);
}

double floating(Cursor& cursor, Kind kind, const char* what) {
  return kind == Kind::f32 ? static_cast<double>(cursor.number<float>(what)) : cursor.number<double>(what);
}

std::uint64_t smallest_item(Kind kind) {
  constexpr std::array<std::uint64_t, kKindCount> kBytes = {1, 1, 2, 2, 4, 4, 4, 1, 8, 12, 8, 8, 8};
  return kBytes[static_cast<std::size_t>(kind)];
}

MetaValue read_array(Cursor& cursor) {
  const auto raw = cursor.number<std::uint32_t>("item kind");
  const auto count = cursor.number<std::uint64_t>("item count");
  if (!cursor.ok()) return {};
  const Kind kind{raw};
  if (raw >= kKindCount || kind == Kind::array) {
    cursor.fail("arrays of kind " + std::to_string(raw) + " are not supported");
    return {};
  }
  if (count > GgufLimits::kArrayItems || count * smallest_item(kind) > cursor.remaining()) {
    cursor.fail("expected at most " + std::to_string(GgufLimits::kArrayItems) +
                " items that fit into the file, found " + std::to_string(count));
    return {};
  }
  const auto fill = [&](auto items, auto read) -> MetaValue {
    items.reserve(count);
    for (std::uint64_t i = 0; i < count && cursor.ok(); ++i) items.push_back(read());
    return items;
  };
  if (kind == Kind::string)
    return fill(std::vector<std::string>(), [&] { return cursor.string("item", GgufLimits::kStringBytes); });
  if (kind == Kind::f32 || kind == Kind::f64)
    return fill(std::vector<double>(), [&] { return floating(cursor, kind, "item"); });
  return fill(std::vector<std::int64_t>(), [&] { return integer(cursor, kind, "item"); });
}

MetaValue read_value(Cursor& cursor) {
  const auto raw = cursor.number<std::uint32_t>("kind");
  const Kind kind{raw};
  switch (kind) {
    case Kind::boolean:
      return cursor.number<std::uint8_t>("value") != 0;
    case Kind::string:
      return cursor.string("value", GgufLimits::kStringBytes);
    case Kind::array:
      return read_array(cursor);
    case Kind::f32:
    case Kind::f64:
      return floating(cursor, kind, "value");
    case Kind::u64:
      return cursor.number<std::uint64_t>("value");
    case Kind::u8:
    case Kind::u16:
    case Kind::u32:
      return static_cast<std::uint64_t>(integer(cursor, kind, "value"));
    case Kind::i8:
    case Kind::i16:
    case Kind::i32:
    case Kind::i64:
      return integer(cursor, kind, "value");
  }
  cursor.fail("expected a kind below " + std::to_string(kKindCount) + ", found " + std::to_string(raw));
  return {};
}

Status read_metadata(Cursor& cursor, std::uint64_t count, Checkpoint& out) {
  for (std::uint64_t i = 0; i < count; ++i) {
    std::string key = cursor.string("name", GgufLimits::kNameBytes);
    if (!cursor.ok()) return cursor.status().in("key " + of(i, count));
    MetaValue value = read_value(cursor);
    if (!cursor.ok()) return cursor.status().in("key " + shown_name(key));
    const auto [place, added] = out.metadata.emplace(std::move(key), std::move(value));
    if (!added) return Status::error("key " + shown_name(place->first) + ": occurs twice");
  }
  return {};
}

// What the tensor's description says; `offset` counts from the start of the data.
struct Described {
  std::string name;
  Tensor tensor;
  std::uint64_t offset;
};

void read_shape(Cursor& cursor, std::vector<std::int64_t>& shape) {
  const auto dimensions = cursor.number<std::uint32_t>("number of dimensions");
  if (cursor.ok() && (dimensions < 1 || dimensions > GgufLimits::kDimensions))
    cursor.fail("expected 1 to " + std::to_string(GgufLimits::kDimensions) + " dimensions, found " +
                std::to_string(dimensions));
  std::int64_t values = 1;
  for (std::uint32_t i = 0; i < dimensions && cursor.ok(); ++i) {
    const auto extent = cursor.number<std::uint64_t>("dimension");
    constexpr std::int64_t kMost =
        std::numeric_limits<std::int64_t>::max() / 16;  // so that bytes cannot overflow either
    if (cursor.ok() && (extent < 1 || extent > static_cast<std::uint64_t>(kMost / values)))
      cursor.fail("dimension " + std::to_string(extent) + " is not possible");
    else
      values *= static_cast<std::int64_t>(extent);
    shape.insert(shape.begin(), static_cast<std::int64_t>(extent));  // the file has the innermost first
  }
}

void read_type_and_size(Cursor& cursor, Tensor& tensor) {
  const auto id = cursor.number<std::uint32_t>("type");
  if (!cursor.ok()) return;
  const auto dtype = dtype_of(id);
  if (!dtype) {
    cursor.fail("type " + type_text(id) + " is not supported; expected one of " + readable_types() +
                " (llama-quantize makes one of the unquantised file)");
    return;
  }
  const auto& format = kernels::info(*dtype);
  if (tensor.shape.back() % format.block_values != 0) {
    cursor.fail("type " + std::string(format.name) + " needs rows of a multiple of " +
                std::to_string(format.block_values) + " values, found shape " + shape_text(tensor.shape));
    return;
  }
  tensor.dtype = *dtype;
  std::int64_t rows = 1;
  for (std::size_t i = 0; i + 1 < tensor.shape.size(); ++i) rows *= tensor.shape[i];
  tensor.bytes = rows * kernels::row_bytes(*dtype, tensor.shape.back());
}

Result<std::vector<Described>> read_descriptions(Cursor& cursor, std::uint64_t count) {
  std::vector<Described> all;
  for (std::uint64_t i = 0; i < count; ++i) {
    Described one{};
    one.name = cursor.string("name", GgufLimits::kNameBytes);
    if (!cursor.ok()) return cursor.status().in("tensor " + of(i, count));
    read_shape(cursor, one.tensor.shape);
    if (cursor.ok()) read_type_and_size(cursor, one.tensor);
    one.offset = cursor.number<std::uint64_t>("offset");
    if (!cursor.ok()) return cursor.status().in("tensor " + shown_name(one.name));
    all.push_back(std::move(one));
  }
  return all;
}

Result<std::uint64_t> alignment(const Checkpoint& checkpoint) {
  const auto found = checkpoint.metadata.find("general.alignment");
  if (found == checkpoint.metadata.end()) return std::uint64_t{32};
  const auto* value = std::get_if<std::uint64_t>(&found->second);
  if (!value || !std::has_single_bit(*value) || *value < 8 || *value > 65536)
    return Status::error("key 'general.alignment': expected a power of two from 8 to 65536" +
                         (value ? ", found " + std::to_string(*value) : std::string()));
  return *value;
}

// Points the tensors into the data and checks that they lie inside it, aligned, each in bytes of its own.
Status place(std::vector<Described>& all, std::span<const std::byte> data, std::uint64_t align) {
  std::sort(all.begin(), all.end(), [](const Described& a, const Described& b) { return a.offset < b.offset; });
  std::uint64_t used = 0;
  const std::string* before = nullptr;
  for (auto& one : all) {
    const std::string where = "tensor " + shown_name(one.name);
    const auto bytes = static_cast<std::uint64_t>(one.tensor.bytes);
    if (one.offset % align != 0)
      return Status::error(where + ": expected an offset that is a multiple of " + std::to_string(align) + ", found " +
                           std::to_string(one.offset));
    if (one.offset > data.size() || bytes > data.size() - one.offset)
      return Status::error(where + ": expected " + std::to_string(bytes) + " bytes at data offset " +
                           std::to_string(one.offset) + ", found " + std::to_string(data.size()) +
                           " bytes of data in all (is the file cut off?)");
    if (before && one.offset < used)
      return Status::error(where + ": overlaps tensor " + shown_name(*before) + " at data offset " +
                           std::to_string(one.offset));
    one.tensor.data = data.data() + one.offset;
    used = one.offset + bytes;
    before = &one.name;
  }
  return {};
}

// The counts behind the magic number and version. tensors, then keys.
Result<std::pair<std::uint64_t, std::uint64_t>> read_counts(Cursor& cursor) {
  constexpr std::uint32_t kMagic = 0x46554747;  // "GGUF"
  if (cursor.number<std::uint32_t>("magic number") != kMagic && cursor.ok())
    return Status::error("not a GGUF file: it does not begin with \"GGUF\"");
  const auto version = cursor.number<std::uint32_t>("version");
  if (cursor.ok() && version != 2 && version != 3) {
    const bool swapped = version == 0x02000000 || version == 0x03000000;
    return Status::error(swapped ? "big-endian GGUF is not supported"
                                 : "GGUF version: expected 2 or 3, found " + std::to_string(version));
  }
  const auto tensors = cursor.number<std::uint64_t>("tensor count");
  const auto keys = cursor.number<std::uint64_t>("key count");
  if (!cursor.ok()) return cursor.status().in("GGUF header");
  if (tensors > GgufLimits::kTensors)
    return Status::error("tensor count: expected at most " + std::to_string(GgufLimits::kTensors) + ", found " +
                         std::to_string(tensors));
  if (keys > GgufLimits::kKeys)
    return Status::error("key count: expected at most " + std::to_string(GgufLimits::kKeys) + ", found " +
                         std::to_string(keys));
  return std::pair(tensors, keys);
}

}  // namespace

Result<Checkpoint> parse_gguf(std::span<const std::byte> file) {
  Checkpoint out;
  out.kind = Checkpoint::Kind::gguf;
  Cursor cursor(file);
  const auto counts = read_counts(cursor);
  if (!counts) return counts.status();
  if (const auto status = read_metadata(cursor, counts->second, out); !status) return status;
  auto described = read_descriptions(cursor, counts->first);
  if (!described) return described.status();
  const auto align = alignment(out);
  if (!align) return align.status();
  const std::uint64_t start = (cursor.position() + *align - 1) / *align * *align;
  const auto data = start < file.size() ? file.subspan(start) : std::span<const std::byte>();
  if (const auto status = place(*described, data, *align); !status) return status;
  for (auto& one : *described) {
    const auto [place_of, added] = out.tensors.emplace(std::move(one.name), std::move(one.tensor));
    if (!added) return Status::error("tensor " + shown_name(place_of->first) + ": occurs twice");
  }
  return out;
}

}  // namespace cinnabar::engine
