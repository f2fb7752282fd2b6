#include "core/plan_file.h"

#include <cstring>
#include <memory>
#include <system_error>

#include "core/errors.h"
#include "core/mmap.h"
#include "core/registry.h"

namespace torchscript {
namespace {

constexpr uint32_t kMagic = 0x46505354;
constexpr uint32_t kVersion = 1;

std::shared_ptr<FileMapping> map_file(const std::string& path) {
  try {
    auto map = std::make_shared<FileMapping>(path);
    if (!map->data()) throw PlanError("Cannot map " + path);
    return map;
  } catch (const std::system_error& e) {
    throw PlanError(e.what());
  }
}

class Reader {
 public:
  explicit Reader(const FileMapping& map) : p_(static_cast<uint8_t*>(map.data())), size_(map.bytes()) {}
  template <class T> T read() {
    if (size_ - at_ < sizeof(T)) bad("it ends too early");
    T v;
    std::memcpy(&v, p_ + at_, sizeof v);
    at_ += sizeof v;
    return v;
  }
  uint32_t count(size_t item) {
    auto n = read<uint32_t>();
    if (n > (size_ - at_) / item) bad("a count is larger than what follows");
    return n;
  }
  // A region of the file given as u64 offset and u64 length.
  std::pair<uint8_t*, size_t> region() {
    auto offset = read<uint64_t>(), length = read<uint64_t>();
    if (offset > size_ || length > size_ - offset) bad("a region lies outside of the file");
    return {p_ + offset, static_cast<size_t>(length)};
  }
  [[noreturn]] static void bad(const std::string& what) { throw PlanError("The plan file is malformed: " + what + "."); }

 private:
  uint8_t* p_;
  size_t size_, at_ = 0;
};

Ref<OwnedQuantParams> read_quant(Reader& in, const Tensor& tensor) {
  auto quant = make_ref<OwnedQuantParams>();
  auto scheme = in.read<uint8_t>();
  if (scheme != 0 && scheme != 1 && scheme != 4) Reader::bad("unknown quantization scheme");
  QuantParams& params = quant->params;
  params.scheme = static_cast<QuantParams::Scheme>(scheme);
  if (scheme == 0) {
    params.scale = in.read<double>();
    params.zero_point = in.read<int64_t>();
    return quant;
  }
  params.axis = in.read<uint32_t>();
  if (params.axis >= tensor.dim()) Reader::bad("a quantization axis is out of range");
  uint32_t n = in.count(16);
  if (n != tensor.size(static_cast<int>(params.axis))) Reader::bad("a tensor has another number of scales than of channels");
  for (uint32_t i = 0; i < n; i++) quant->scales.push_back(in.read<double>());
  for (uint32_t i = 0; i < n; i++) quant->zero_points.push_back(in.read<double>());
  params.scales = quant->scales.data();
  params.zero_points = quant->zero_points.data();
  return quant;
}

}  // namespace

Ref<Program> load_plan_file(const std::string& path, OutputSink* sink) {
  std::shared_ptr<FileMapping> map = map_file(path);
  Reader in(*map);
  if (in.read<uint32_t>() != kMagic) Reader::bad("the magic number is missing");
  if (in.read<uint32_t>() != kVersion) Reader::bad("its version is not supported");
  auto [plan, plan_size] = in.region();
  std::vector<Ref<Storage>> storages;
  for (uint32_t n = in.count(16); n > 0; n--) {
    auto [data, size] = in.region();
    auto storage = Storage::wrap(data, size, [map] {});
    storage->file = map;
    storage->is_weight = true;
    storages.push_back(std::move(storage));
  }
  std::vector<Ref<Tensor>> tensors;
  for (uint32_t n = in.count(19); n > 0; n--) {
    auto storage = in.read<uint32_t>();
    auto dtype = in.read<uint8_t>();
    auto ndim = in.read<uint32_t>();
    if (storage >= storages.size() || ndim > kMaxDims || !is_known_dtype(dtype))
      Reader::bad("a tensor has a storage, dtype or number of dimensions that cannot be");
    int64_t sizes[kMaxDims], strides[kMaxDims];
    for (uint32_t d = 0; d < ndim; d++) sizes[d] = in.read<int64_t>();
    for (uint32_t d = 0; d < ndim; d++) strides[d] = in.read<int64_t>();
    auto offset = in.read<int64_t>();
    Ref<Tensor> tensor;
    try {
      tensor = Tensor::on_storage(storages[storage], static_cast<DType>(dtype), sizes, strides, static_cast<int>(ndim), offset);
    } catch (const OperatorError& e) {
      Reader::bad(e.what());
    }
    tensor->requires_grad = in.read<uint8_t>() != 0;
    if (in.read<uint8_t>() != 0) {
      tensor->quant = read_quant(in, *tensor);
      tensor->view.quant = &tensor->quant->params;
    }
    tensors.push_back(std::move(tensor));
  }
  return Program::load(plan, plan_size, tensors, sink);
}

}  // namespace torchscript
