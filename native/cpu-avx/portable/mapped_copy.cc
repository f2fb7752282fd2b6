#include "cpu-avx/portable/mapped_copy.h"

namespace torchscript::portable {
namespace {

// `length` output blocks from `to` on, whose input indices go from `from` on in equal steps, or are all fill (`from` is -1).
struct Run {
  int64_t to, from, step, length;
};

bool is_identity(const std::vector<int64_t>& map, int64_t size) {
  if (static_cast<int64_t>(map.size()) != size) return false;
  for (int64_t i = 0; i < size; i++)
    if (map[static_cast<size_t>(i)] != i) return false;
  return true;
}

std::vector<Run> runs_of(const std::vector<int64_t>& map) {
  std::vector<Run> runs;
  for (size_t i = 0; i < map.size(); i++) {
    if (!runs.empty()) {
      Run& last = runs.back();
      const bool fill = last.from < 0;
      if (fill == (map[i] < 0)) {
        if (!fill && last.length == 1) last.step = map[i] - last.from;
        if (fill || map[i] == last.from + last.step * last.length) {
          last.length++;
          continue;
        }
      }
    }
    runs.push_back({static_cast<int64_t>(i), map[i], 1, 1});
  }
  return runs;
}

template <class T> void copy_blocks(T* to, const T* from, int64_t n) {
  if (n == 1) *to = *from;
  else std::memcpy(to, from, static_cast<size_t>(n) * sizeof(T));
}

// `n` blocks, `distance` elements apart in the input.
template <class T> void copy_run(T* to, const T* from, int64_t n, int64_t distance, int64_t block) {
  if (distance == block) return copy_blocks(to, from, n * block);
  if (block > 1) {
    for (int64_t i = 0; i < n; i++) std::memcpy(to + i * block, from + i * distance, static_cast<size_t>(block) * sizeof(T));
  } else if (distance == -1) {
    std::reverse_copy(from - (n - 1), from + 1, to);
  } else if (distance == 0) {
    std::fill(to, to + n, *from);
  } else {
    for (int64_t i = 0; i < n; i++) to[i] = from[i * distance];
  }
}

}  // namespace

std::vector<int64_t> identity_map(int64_t n) {
  std::vector<int64_t> map(static_cast<size_t>(n));
  for (int64_t i = 0; i < n; i++) map[static_cast<size_t>(i)] = i;
  return map;
}

void mapped_copy(Call& call, const TensorView& in, const TensorView& out, const IndexMaps& maps, const void* fill) {
  const int64_t total = out.numel();
  if (total == 0) return;
  // Trailing dimensions that are copied whole and lie dense in the input make one block.
  int rank = out.ndim;
  int64_t block = 1;
  while (rank > 0 && is_identity(maps[rank - 1], in.sizes[rank - 1]) && (in.strides[rank - 1] == block || in.sizes[rank - 1] == 1)) {
    block *= in.sizes[rank - 1];
    rank--;
  }
  dispatch_size(out.dtype, [&](auto tag) {
    using T = decltype(tag);
    const T* source = in.ptr<T>();
    T* result = out.ptr<T>();
    const T blank = fill != nullptr ? *static_cast<const T*>(fill) : T{};
    if (rank == 0) return copy_blocks(result, source, block);
    const int last = rank - 1;
    const int64_t stride = in.strides[last], row = out.sizes[last] * block;
    const std::vector<Run> runs = runs_of(maps[last]);
    call.runtime->parallel(total / row, std::max<int64_t>(1, 16384 / row), [&](int64_t begin, int64_t end) {
      for (int64_t r = begin; r < end; r++) {
        int64_t rest = r, offset = 0;
        bool blank_row = false;
        for (int d = last - 1; d >= 0; d--) {
          const int64_t from = maps[d][static_cast<size_t>(rest % out.sizes[d])];
          rest /= out.sizes[d];
          blank_row |= from < 0;
          offset += from * in.strides[d];
        }
        T* to = result + r * row;
        if (blank_row) {
          std::fill(to, to + row, blank);
          continue;
        }
        for (const Run& run : runs) {
          if (run.from < 0) std::fill(to + run.to * block, to + (run.to + run.length) * block, blank);
          else copy_run(to + run.to * block, source + offset + run.from * stride, run.length, run.step * stride, block);
        }
      }
    });
  });
}

}  // namespace torchscript::portable
