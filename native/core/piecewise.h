// Work over weights that are mapped from files.
#pragma once
#include <algorithm>
#include <utility>
#include <vector>

#include "core/tensor.h"

namespace torchscript {

// Does loops in pieces, and between them gives back the memory of what has been read of the files, so that a large weight and what is made of
// it are never in memory both.
class PiecewiseRuntime final : public Runtime {
 public:
  // The storages outlive it.
  PiecewiseRuntime(Runtime& runtime, std::vector<Storage*> storages) : runtime_(runtime), storages_(std::move(storages)) {
    for (const Storage* storage : storages_) bytes_ += storage->bytes;
  }
  // Whether the storages are worth it.
  bool pays() const { return bytes_ >= 2 * kPiece; }

  void parallel_for(int64_t n, int64_t grain, void (*body)(void*, int64_t, int64_t), void* context) override {
    const auto pieces = static_cast<int64_t>(bytes_ / kPiece) + 1;
    struct Part {
      void (*body)(void*, int64_t, int64_t);
      void* context;
      int64_t start;
    } part{body, context, 0};
    const int64_t step = std::max(grain, (n + pieces - 1) / pieces);
    for (; part.start < n; part.start += step) {
      runtime_.parallel_for(
        std::min(step, n - part.start), grain,
        [](void* p, int64_t begin, int64_t end) {
          const Part& of = *static_cast<Part*>(p);
          of.body(of.context, of.start + begin, of.start + end);
        },
        &part);
      for (Storage* storage : storages_) storage->drop_pages();
    }
  }
  int num_threads() const override { return runtime_.num_threads(); }
  RandomSource& random() override { return runtime_.random(); }
  void note(const char* inner_kernel) override { runtime_.note(inner_kernel); }
  void* scratch(size_t bytes) override { return runtime_.scratch(bytes); }

 private:
  static constexpr size_t kPiece = 2 << 20;
  Runtime& runtime_;
  std::vector<Storage*> storages_;
  size_t bytes_ = 0;
};

}  // namespace torchscript
