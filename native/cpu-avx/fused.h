// Groups of pointwise operators that run as one kernel, with a reduction at the end if there is one (docs/fusion.md). fused_build.cc makes the
// tile code of a group for one signature, fused_run.cc runs it.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "cpu-avx/fused_stages.h"
#include "cpu-avx/fused_steps.h"
#include "cpu-avx/iterate.h"

namespace torchscript {

// Where a run of elements lies while a tile is worked on.
struct TileRegister {
  enum class Kind : uint8_t {
    External,  // in the memory of an external
    Slot,      // in the buffer
    Number,    // one value, repeated, that does not change
    Single,    // one value, repeated, of an external with one element
    Splat      // one value, repeated, of an external that stays the same along a tile
  };
  Kind kind = Kind::Slot;
  int external = -1;          // External, Single, Splat
  ConvertFn load = nullptr;   // Single, Splat: on the way in
  int64_t width = 0;          // of an element
  bool full = false;          // repeated over a whole tile, not over 64 bytes
  int64_t offset = -1;        // in the buffer; Number: in `numbers`
  int first = -1, last = -1;  // Slot: operations that use it
  char value[16];             // Number
  bool is_value() const { return kind != Kind::External && kind != Kind::Slot; }
};

struct TileStage {
  enum class Kind : uint8_t { Expression, Load, Store, End } kind = Kind::End;
  StageFn fn = nullptr;
  StageFn stream = nullptr;  // Store: instead of fn where memory is aligned
  int registers[3] = {-1, -1, -1};
};

// An operation on a tile.
struct TileOp {
  enum class Kind : uint8_t {
    Gather,    // from external -> to
    Convert,   // from -> to
    Apply,     // from... -> to
    Pipeline,  // stages
    Scatter,   // from -> external
    Fold       // from -> accumulators
  };
  Kind kind = Kind::Apply;
  int to = -1, external = -1, count = 0;
  int from[kMaxOperands];
  bool once = false;  // Gather: the same for each tile
  ConvertFn convert = nullptr;
  PointwiseFn apply = nullptr;
  const PipelineTable* pipeline = nullptr;
  std::vector<TileStage> stages;
};

// Memory that tiles read or write.
struct FusedExternal {
  enum class Source : uint8_t { Argument, Output, Small };
  enum class Access : uint8_t {
    Single,    // one element
    Direct,    // a tile is a run of elements
    Splat,     // one element for a whole tile
    Periodic,  // the same elements for each tile
    Gather
  };
  Source source = Source::Argument;
  int index = 0;     // argument, output, or small step
  int operand = -1;  // of the iteration
  int64_t size = 0;  // of an element
  Access access = Access::Single;
};

// A step that gives less than the group's full shape, which runs by itself before the tiles.
struct FusedSmall {
  int step = 0, value = -1;  // the result
  bool cast = false;
  PointwiseId id = PointwiseId::count;
  int count = 0;
  Arg args[kMaxOperands];    // numbers; tensors are found by `values`
  int values[kMaxOperands];  // index of FusedGroup::values, or -1
  int64_t workspace = -1;    // offset; -1 when it is an output
};

class FusedGroup {
 public:
  // The group of a call, or null with a reason when it has to run operator by operator. Looks at no data.
  static std::unique_ptr<FusedGroup> build(const Call& call, std::string* reason);
  // Fills outputs and workspace_bytes.
  void describe(Call& call) const;
  void run(Call& call) const;

 private:
  friend class FusedBuilder;
  friend class FusedRun;

  struct Reduced : FusedReduced {
    bool pieces = false;                     // parts of a row have accumulators of their own
    int64_t accumulators = 0, partials = 0;  // in the workspace
  };

  std::vector<FusedValue> values_;
  std::vector<TensorView> outputs_;
  std::vector<FusedSmall> smalls_;
  std::vector<FusedExternal> externals_;
  std::vector<TileRegister> registers_;
  std::vector<TileOp> code_;
  std::vector<char> numbers_;  // with room to align
  Iteration it_;
  Reduced reduced_;
  bool by_rows_ = false;  // a tile lies within a row of the innermost dimension
  int64_t tile_ = 0;      // elements at most
  int64_t padded_ = 0;    // room for a tile
  int64_t unit_ = 0;      // elements that are shared out together
  int64_t grain_ = 1;     // units a thread takes at least
  int64_t buffer_ = 0;
  int64_t workspace_ = 0;
};

}  // namespace torchscript
