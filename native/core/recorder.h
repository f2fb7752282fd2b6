// Records what one run of a function does with tensors, to replay it (replay.h).
#pragma once
#include <memory>
#include <string>

#include "core/pack.h"
#include "core/value.h"
#include "kernel.h"

namespace torchscript {

class Recorder {
 public:
  // The run cannot be replayed; the first reason stays.
  void give_up(const std::string& reason) { if (reason_.empty()) reason_ = reason; }
  void data_dependent(const char* name, const Value*, int) { give_up(std::string(name) + " has results whose shapes depend on data"); }
  void reads(const Tensor&, const char* reason) { give_up(reason); }
  void known(const Tensor&) {}
  void kernel(const Kernel&, const char*, const Call&, const Value*, Tensor* const*, int) {}
  std::shared_ptr<const PackEntry> pack_known(const Kernel&, const Call&, Storage&) { return nullptr; }
  void pack_used(const std::shared_ptr<const PackEntry>&) {}

 private:
  std::string reason_;
};

}  // namespace torchscript
