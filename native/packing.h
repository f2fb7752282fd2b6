// Which rows pack a weight that lies in the memory that they pack into.
#pragma once
#include "kernel.h"

namespace torchscript {

// Says of rows with this `pack` for which calls it takes args[pack_arg], contiguous, in the last bytes of `packed`. What is computed only to be
// packed then needs no memory beside the packed form. Objects are static: those of a row stand beside it.
class PacksOver {
 public:
  using Pack = void (*)(const Call& call, void* packed);
  using Takes = bool (*)(const Call& call);
  PacksOver(Pack pack, Takes takes) : pack_(pack), takes_(takes), next_(first) { first = this; }
  static bool takes(const Kernel& row, const Call& call) {
    for (const PacksOver* p = first; p; p = p->next_)
      if (p->pack_ == row.pack) return p->takes_(call);
    return false;
  }

 private:
  static inline const PacksOver* first = nullptr;
  Pack pack_;
  Takes takes_;
  const PacksOver* next_;
};

}  // namespace torchscript
