// Makes the tile code of a group for the dtypes, shapes and strides of one call.
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <exception>

#include "cpu-avx/copy.h"
#include "cpu-avx/fused.h"
#include "cpu-avx/promote.h"

namespace torchscript {
namespace {

constexpr int64_t kTileElements = 1024;
constexpr int64_t kLongTile = 16384;   // where nothing but registers is between the operands and the result
constexpr int64_t kLongRow = 256;      // rows above this are tiles of their own
constexpr int64_t kGrain = 32768;      // elements that a thread takes at least, for a short group
constexpr int64_t kLeastGrain = 8192;  // the same for a long one
constexpr int64_t kPiece = 32768;      // of a long row of a reduction
constexpr int64_t kLongReduction = 131072;

int64_t round_up(int64_t n, int64_t to) { return (n + to - 1) / to * to; }

int64_t last_level_cache() {
#if defined(_SC_LEVEL3_CACHE_SIZE)
  static const int64_t bytes = [] {
    const long size = sysconf(_SC_LEVEL3_CACHE_SIZE);
    return size > 0 ? static_cast<int64_t>(size) : int64_t{32} << 20;
  }();
  return bytes;
#else
  return int64_t{32} << 20;
#endif
}

}  // namespace

// Steps of the group with what their rows chose, then tile code.
class FusedBuilder {
 public:
  FusedBuilder(const Call& call, const FusedText& text, FusedGroup& group) : call_(call), text_(text), g_(group) {}
  // Null, or why it cannot be done.
  const char* build();

 private:
  using Operand = FusedOperand;
  struct Step : FusedStep {
    PointwiseFn fn = nullptr;
    // Pipelines: the operand in registers (kBoth: the first two), -1 when the step is applied by itself.
    int held = -1;
    StageFn stage = nullptr;
    bool stored = true;  // something reads the result from memory
  };
  static constexpr int kBoth = 100;
  struct Segment {
    std::vector<int> steps;
    bool pipeline = false;
  };

  const char* make_iteration();
  void form_segments();
  void emit();
  void finish();

  bool is_value(const Operand& operand) const;
  StageFn stage_of(const Step& step, int held) const;
  int first_held(const Step& step) const;
  int external_of(int value);
  int external_register(int index);
  int base_register(int value);
  int register_of(const Step& step, const Operand& operand);
  int value_register(TileRegister::Kind kind, int external, DType dtype, const Step& step, bool condition);
  int add_register(TileRegister r) {
    g_.registers_.push_back(r);
    return static_cast<int>(g_.registers_.size()) - 1;
  }
  int slot(int64_t width) {
    TileRegister r;
    r.width = width;
    return add_register(r);
  }
  void convert(ConvertFn fn, int from, int to) {
    TileOp op;
    op.kind = TileOp::Kind::Convert;
    op.convert = fn;
    op.from[0] = from;
    op.count = 1;
    op.to = to;
    g_.code_.push_back(std::move(op));
  }
  void apply(Step& step);
  void emit_cast(Step& step);
  void pipeline(const Segment& segment);
  int result_register(Step& step);
  void scatter_result(const Step& step);
  static bool in_pipelines(Compute c) { return c == Compute::F32 || c == Compute::F64; }
  static const PipelineTable& table_of(Compute c) { return c == Compute::F32 ? fused_table().f32 : fused_table().f64; }

  const Call& call_;
  const FusedText& text_;
  FusedGroup& g_;
  std::vector<Step> steps_;
  std::vector<int> step_of_value_;  // -1: an input
  std::vector<int> bases_;          // registers of values
  std::vector<int> externals_;      // of values
  struct Converted {
    int value, compute, reg;
  };
  std::vector<Converted> converted_;
  std::vector<Segment> segments_;
  std::vector<int> segment_of_;
  TensorView shape_;
  int64_t total_ = 0;
  bool applies_ = false;
};

bool FusedBuilder::is_value(const Operand& operand) const {
  if (operand.value < 0) return true;
  const int step = step_of_value_[static_cast<size_t>(operand.value)];
  if (step >= 0 && steps_[static_cast<size_t>(step)].full) return false;
  const int external = externals_[static_cast<size_t>(operand.value)];
  const FusedExternal::Access access = g_.externals_[static_cast<size_t>(external)].access;
  return access == FusedExternal::Access::Single || access == FusedExternal::Access::Splat;
}

// Memory of a value that the tiles read or write.
int FusedBuilder::external_of(int value) {
  int& known = externals_[static_cast<size_t>(value)];
  if (known >= 0) return known;
  const FusedValue& v = g_.values_[static_cast<size_t>(value)];
  FusedExternal e;
  e.size = dtype_size(v.view.dtype);
  if (v.output >= 0) {
    e.source = FusedExternal::Source::Output;
    e.index = v.output;
  } else if (v.argument >= 0) {
    e.index = v.argument;
  } else {
    e.source = FusedExternal::Source::Small;
    e.index = v.small;
  }
  known = static_cast<int>(g_.externals_.size());
  g_.externals_.push_back(e);
  return known;
}

const char* FusedBuilder::make_iteration() {
  externals_.assign(g_.values_.size(), -1);
  int64_t strides[kMaxIterated][kMaxDims];
  const TensorView& shape = shape_;
  int count = 0;
  bool too_many = false;
  const auto iterate = [&](int value) {
    const int e = external_of(value);
    FusedExternal& external = g_.externals_[static_cast<size_t>(e)];
    if (external.operand >= 0) return;
    const TensorView& view = g_.values_[static_cast<size_t>(value)].view;
    if (view.numel() == 1 && external.source != FusedExternal::Source::Output) return;
    if (count == kMaxIterated) {
      too_many = true;
      return;
    }
    broadcast_strides(strides[count], shape.sizes, shape.ndim, view);
    external.operand = count++;
  };
  if (g_.reduced_.row) {
    // In the order of the shape, which the reduced dimensions end.
    int64_t stride = 1;
    for (int d = shape.ndim - 1; d >= 0; d--) {
      strides[0][d] = stride;
      stride *= shape.sizes[d];
    }
    count = 1;
  }
  for (const Step& step : steps_)
    if (step.full && step.output >= 0) iterate(step.value);
  for (const Step& step : steps_) {
    if (!step.full) continue;
    for (int k = 0; k < step.count; k++) {
      const int value = step.operands[k].value;
      if (value < 0) continue;
      const int from = step_of_value_[static_cast<size_t>(value)];
      if (from < 0 || !steps_[static_cast<size_t>(from)].full) iterate(value);
    }
  }
  if (too_many || count == 0) return "too many tensors";
  Iteration& it = g_.it_;
  it.build(shape.sizes, shape.ndim, strides, count);
  const int64_t inner = it.sizes[0];
  g_.by_rows_ = it.ndim > 1 && inner >= kLongRow;
  for (FusedExternal& e : g_.externals_) {
    using Access = FusedExternal::Access;
    if (e.operand < 0) continue;
    const int64_t* s = it.strides[e.operand];
    bool linear = s[0] == 1, periodic = true;
    for (int d = 1; d < it.ndim; d++) {
      linear = linear && s[d] == s[d - 1] * it.sizes[d - 1];
      periodic = periodic && s[d] == 0;
    }
    if (it.ndim == 1 || g_.by_rows_) e.access = s[0] == 1 ? Access::Direct : s[0] == 0 ? Access::Splat : Access::Gather;
    else e.access = linear ? Access::Direct : periodic && !g_.reduced_.row && inner <= kTileElements ? Access::Periodic : Access::Gather;
    if (it.ndim == 1 && total_ == 1) e.access = Access::Direct;
  }
  return nullptr;
}

// The stage of a step with operand `held` in registers; null when there is none.
StageFn FusedBuilder::stage_of(const Step& step, int held) const {
  if (step.cast || step.truth || !in_pipelines(step.compute) || step.computed != step.compute) return nullptr;
  const DType result = g_.values_[static_cast<size_t>(step.value)].view.dtype;
  if (result != dtype_of(step.compute)) return nullptr;
  const PointwiseOp& op = pointwise_op(step.id);
  const auto expression = table_of(step.compute).expression;
  int data = 0;
  for (int k = 0; k < op.count; k++) data += !(op.params >> k & 1);
  if (held != kBoth && (op.params >> held & 1 || op.conditions >> held & 1)) return nullptr;
  for (int k = 0; k < op.count; k++)
    if (op.params >> k & 1 && !is_value(step.operands[k])) return nullptr;
  if (data == 1) return held == 0 ? expression(step.id, StageForm::FirstValue) : nullptr;
  if (data == 2 && !op.conditions && !(op.params & 3)) {
    if (held == kBoth) return expression(step.id, StageForm::Both);
    const bool value = is_value(step.operands[1 - held]);
    if (held == 0) return expression(step.id, value ? StageForm::FirstValue : StageForm::FirstArray);
    return expression(step.id, value ? StageForm::SecondValue : StageForm::SecondArray);
  }
  if (held > 2) return nullptr;
  return expression(step.id, held == 0 ? StageForm::First : held == 1 ? StageForm::Second : StageForm::Third);
}

// The operand that a pipeline which starts with this step loads; -1 when the step starts none.
int FusedBuilder::first_held(const Step& step) const {
  if (step.count >= 2 && step.operands[0].value >= 0 && step.operands[0].value == step.operands[1].value && !is_value(step.operands[0]) &&
      stage_of(step, kBoth))
    return kBoth;
  for (int k = 0; k < step.count; k++) {
    if (step.operands[k].value >= 0 && !is_value(step.operands[k]) && stage_of(step, k)) return k;
  }
  return -1;
}

// Orders the full steps so that each reads the result of the one before it where that can be, and cuts the order into pipelines.
void FusedBuilder::form_segments() {
  const int n = static_cast<int>(steps_.size());
  std::vector<char> done(static_cast<size_t>(n), 0);
  segment_of_.assign(static_cast<size_t>(n), -1);
  const auto is_ready = [&](const Step& step) {
    for (int k = 0; k < step.count; k++) {
      const int value = step.operands[k].value;
      const int from = value < 0 ? -1 : step_of_value_[static_cast<size_t>(value)];
      if (from >= 0 && steps_[static_cast<size_t>(from)].full && !done[static_cast<size_t>(from)]) return false;
    }
    return true;
  };
  int left = 0;
  for (const Step& step : steps_) left += step.full;
  int last = -1;
  while (left > 0) {
    int next = -1, held = -1;
    StageFn stage = nullptr;
    if (last >= 0 && segments_.back().pipeline) {
      const Step& before = steps_[static_cast<size_t>(last)];
      const int segment = static_cast<int>(segments_.size()) - 1;
      for (int i = 0; i < n && next < 0; i++) {
        const Step& step = steps_[static_cast<size_t>(i)];
        if (!step.full || done[static_cast<size_t>(i)] || step.compute != before.compute || !is_ready(step)) continue;
        // Results of this pipeline that have to change their form first are not there yet.
        bool fits = true;
        for (int k = 0; k < step.count; k++) {
          const int value = step.operands[k].value;
          const int from = value < 0 ? -1 : step_of_value_[static_cast<size_t>(value)];
          if (from >= 0 && segment_of_[static_cast<size_t>(from)] == segment &&
              g_.values_[static_cast<size_t>(value)].view.dtype != dtype_of(step.compute))
            fits = false;
        }
        if (!fits) continue;
        if (step.count >= 2 && step.operands[0].value == before.value && step.operands[1].value == before.value &&
            (stage = stage_of(step, kBoth))) {
          next = i;
          held = kBoth;
        }
        for (int k = 0; k < step.count && next < 0; k++) {
          if (step.operands[k].value != before.value || !(stage = stage_of(step, k))) continue;
          next = i;
          held = k;
        }
      }
    }
    if (next < 0) {
      for (int i = 0; i < n && next < 0; i++) {
        const Step& step = steps_[static_cast<size_t>(i)];
        if (step.full && !done[static_cast<size_t>(i)] && is_ready(step)) next = i;
      }
      held = first_held(steps_[static_cast<size_t>(next)]);
      stage = held < 0 ? nullptr : stage_of(steps_[static_cast<size_t>(next)], held);
      segments_.push_back({{}, held >= 0});
    }
    Step& step = steps_[static_cast<size_t>(next)];
    step.held = held;
    step.stage = stage;
    segments_.back().steps.push_back(next);
    segment_of_[static_cast<size_t>(next)] = static_cast<int>(segments_.size()) - 1;
    done[static_cast<size_t>(next)] = 1;
    last = next;
    left--;
  }
  // A pipeline of one step gains nothing.
  for (Segment& segment : segments_) {
    if (segment.steps.size() == 1) segment.pipeline = false;
    if (!segment.pipeline) applies_ = true;
  }
  // Which results somebody reads from memory.
  for (Step& step : steps_)
    step.stored =
      step.output >= 0 || !step.full || !segments_[static_cast<size_t>(segment_of_[static_cast<size_t>(&step - steps_.data())])].pipeline;
  for (int i = 0; i < n; i++) {
    const Step& step = steps_[static_cast<size_t>(i)];
    if (!step.full && !step.reduction) continue;
    int before = -1;
    const int at = step.full ? segment_of_[static_cast<size_t>(i)] : -1;
    if (at >= 0 && segments_[static_cast<size_t>(at)].pipeline) {
      const std::vector<int>& order = segments_[static_cast<size_t>(at)].steps;
      const auto place = std::find(order.begin(), order.end(), i);
      if (place != order.begin()) before = *(place - 1);
    }
    for (int k = 0; k < step.count; k++) {
      const int value = step.operands[k].value;
      const int from = value < 0 ? -1 : step_of_value_[static_cast<size_t>(value)];
      if (from < 0 || !steps_[static_cast<size_t>(from)].full) continue;
      const bool held = from == before && (step.held == k || (step.held == kBoth && k < 2));
      if (!held) steps_[static_cast<size_t>(from)].stored = true;
    }
  }
}

// One value, repeated. Vector functions want 64 bytes of it, the others whole tiles.
int FusedBuilder::value_register(TileRegister::Kind kind, int external, DType dtype, const Step& step, bool condition) {
  TileRegister r;
  r.kind = kind;
  r.external = external;
  r.width = condition ? 1 : compute_size(step.compute);
  r.full = !in_pipelines(step.compute);
  if (!condition && dtype != dtype_of(step.compute)) r.load = loader_of(dtype, step.compute);
  for (size_t i = 0; i < g_.registers_.size(); i++) {
    const TileRegister& known = g_.registers_[i];
    if (known.kind == kind && known.external == external && known.load == r.load && known.width == r.width && known.full == r.full)
      return static_cast<int>(i);
  }
  return add_register(r);
}

// The memory of an external itself.
int FusedBuilder::external_register(int index) {
  TileRegister r;
  r.kind = TileRegister::Kind::External;
  r.external = index;
  r.width = g_.externals_[static_cast<size_t>(index)].size;
  return add_register(r);
}

// A value as it lies in memory.
int FusedBuilder::base_register(int value) {
  int& known = bases_[static_cast<size_t>(value)];
  if (known >= 0) return known;
  const int index = externals_[static_cast<size_t>(value)];
  const FusedExternal& external = g_.externals_[static_cast<size_t>(index)];
  if (external.access == FusedExternal::Access::Direct) return known = external_register(index);
  known = slot(external.size);
  TileOp op;
  op.kind = TileOp::Kind::Gather;
  op.external = index;
  op.to = known;
  op.once = external.access == FusedExternal::Access::Periodic;
  g_.code_.push_back(std::move(op));
  return known;
}

// An operand in the form that its step computes with.
int FusedBuilder::register_of(const Step& step, const Operand& operand) {
  if (operand.value < 0) {
    TileRegister r;
    r.kind = TileRegister::Kind::Number;
    r.width = compute_size(step.compute);
    r.full = !in_pipelines(step.compute);
    std::memset(r.value, 0, sizeof r.value);
    write_number_as(operand.number, step.common, step.compute, r.value);
    for (size_t i = 0; i < g_.registers_.size(); i++) {
      const TileRegister& known = g_.registers_[i];
      if (known.kind == r.kind && known.width == r.width && known.full == r.full && std::memcmp(known.value, r.value, sizeof r.value) == 0)
        return static_cast<int>(i);
    }
    return add_register(r);
  }
  const int value = operand.value;
  const DType dtype = g_.values_[static_cast<size_t>(value)].view.dtype;
  if (is_value(operand)) {
    const int external = externals_[static_cast<size_t>(value)];
    const bool single = g_.externals_[static_cast<size_t>(external)].access == FusedExternal::Access::Single;
    return value_register(single ? TileRegister::Kind::Single : TileRegister::Kind::Splat, external, dtype, step, operand.condition);
  }
  const int base = base_register(value);
  if (operand.condition || dtype == dtype_of(step.compute)) return base;
  for (const Converted& known : converted_)
    if (known.value == value && known.compute == static_cast<int>(step.compute)) return known.reg;
  const int reg = slot(compute_size(step.compute));
  convert(loader_of(dtype, step.compute), base, reg);
  converted_.push_back({value, static_cast<int>(step.compute), reg});
  return reg;
}

// Where the result of a step goes, as it lies in memory.
int FusedBuilder::result_register(Step& step) {
  int& known = bases_[static_cast<size_t>(step.value)];
  if (known >= 0) return known;
  if (step.output >= 0) {
    const int index = externals_[static_cast<size_t>(step.value)];
    const FusedExternal& external = g_.externals_[static_cast<size_t>(index)];
    if (external.access == FusedExternal::Access::Direct) return known = external_register(index);
  }
  return known = slot(dtype_size(g_.values_[static_cast<size_t>(step.value)].view.dtype));
}

void FusedBuilder::scatter_result(const Step& step) {
  if (step.output < 0) return;
  const int index = externals_[static_cast<size_t>(step.value)];
  if (g_.externals_[static_cast<size_t>(index)].access == FusedExternal::Access::Direct) return;
  TileOp op;
  op.kind = TileOp::Kind::Scatter;
  op.external = index;
  op.from[0] = bases_[static_cast<size_t>(step.value)];
  op.count = 1;
  g_.code_.push_back(std::move(op));
}

void FusedBuilder::emit_cast(Step& step) {
  const TensorView& self = g_.values_[static_cast<size_t>(step.operands[0].value)].view;
  const DType to = g_.values_[static_cast<size_t>(step.value)].view.dtype;
  // Steps computed in B or I32 repeat their values over whole tiles, which conversions need.
  Step as = step;
  int from;
  if (is_value(step.operands[0])) {
    TileRegister r = g_.registers_[static_cast<size_t>(register_of(as, step.operands[0]))];
    r.full = true;
    from = add_register(r);
  } else {
    from = register_of(as, step.operands[0]);
  }
  (void)self;
  const int result = result_register(step);
  convert(to == dtype_of(step.compute) ? nullptr : storer_of(step.compute, to), from, result);
  scatter_result(step);
}

void FusedBuilder::apply(Step& step) {
  TileOp op;
  op.kind = TileOp::Kind::Apply;
  op.apply = step.fn;
  op.count = step.count;
  for (int k = 0; k < step.count; k++) op.from[k] = register_of(step, step.operands[k]);
  const int result = result_register(step);
  const DType dtype = g_.values_[static_cast<size_t>(step.value)].view.dtype;
  const bool stored = !step.truth && dtype != dtype_of(step.computed);
  op.to = stored ? slot(compute_size(step.computed)) : result;
  const int to = op.to;
  g_.code_.push_back(std::move(op));
  if (stored) convert(storer_of(step.computed, dtype), to, result);
  scatter_result(step);
}

void FusedBuilder::pipeline(const Segment& segment) {
  TileOp op;
  op.kind = TileOp::Kind::Pipeline;
  const Step& first = steps_[static_cast<size_t>(segment.steps[0])];
  op.pipeline = &table_of(first.compute);
  TileStage load;
  load.kind = TileStage::Kind::Load;
  load.fn = op.pipeline->other(StageKind::Load);
  load.registers[0] = register_of(first, first.operands[first.held == kBoth ? 0 : first.held]);
  op.stages.push_back(load);
  for (int i : segment.steps) {
    Step& step = steps_[static_cast<size_t>(i)];
    TileStage stage;
    stage.kind = TileStage::Kind::Expression;
    stage.fn = step.stage;
    int n = 0;
    for (int k = 0; k < step.count; k++) {
      if (k == step.held || (step.held == kBoth && k < 2)) continue;
      stage.registers[n++] = register_of(step, step.operands[k]);
    }
    op.stages.push_back(stage);
    if (!step.stored) continue;
    TileStage store;
    store.kind = TileStage::Kind::Store;
    store.fn = op.pipeline->other(StageKind::Store);
    store.registers[0] = result_register(step);
    op.stages.push_back(store);
  }
  TileStage end;
  end.fn = op.pipeline->other(StageKind::End);
  op.stages.push_back(end);
  g_.code_.push_back(std::move(op));
  for (int i : segment.steps) scatter_result(steps_[static_cast<size_t>(i)]);
}

void FusedBuilder::emit() {
  bases_.assign(g_.values_.size(), -1);
  for (const Segment& segment : segments_) {
    Step& step = steps_[static_cast<size_t>(segment.steps[0])];
    if (segment.pipeline) pipeline(segment);
    else if (step.cast) emit_cast(step);
    else apply(step);
  }
  if (!g_.reduced_.row) return;
  for (Step& step : steps_) {
    if (!step.reduction) continue;
    constexpr Compute computes[kElements] = {Compute::F32, Compute::F64, Compute::I64, Compute::C128};
    const int value = step.operands[0].value;
    const Compute compute = computes[static_cast<int>(g_.reduced_.element)];
    step.compute = compute;
    TileOp op;
    op.kind = TileOp::Kind::Fold;
    op.from[0] = register_of(step, {value, {}, false});
    op.count = 1;
    g_.code_.push_back(std::move(op));
  }
}

// Sizes and places: tiles, slots, units of work, workspace.
void FusedBuilder::finish() {
  bool slots = applies_ || g_.reduced_.row;
  for (const TileRegister& r : g_.registers_) slots = slots || r.kind == TileRegister::Kind::Slot;
  const int64_t longest = slots ? kTileElements : kLongTile;
  const int64_t inner = g_.it_.sizes[0];
  const int64_t block = 2 * fused_table().f32.block;
  bool periodic = false;
  for (const FusedExternal& e : g_.externals_) periodic = periodic || e.access == FusedExternal::Access::Periodic;
  if (periodic) {
    // Whole rows, and whole blocks where that stays small.
    int64_t rows = std::max<int64_t>(1, kTileElements / inner);
    for (int64_t more = rows; more > rows / 2 && more > 0; more--) {
      if (more * inner % fused_table().f32.block == 0) {
        rows = more;
        break;
      }
    }
    g_.tile_ = rows * inner;
  } else if (g_.by_rows_) {
    const int64_t pieces = (inner + longest - 1) / longest;
    g_.tile_ = round_up((inner + pieces - 1) / pieces, block);
  } else {
    g_.tile_ = longest;
  }
  g_.unit_ = g_.by_rows_ && !g_.reduced_.row && inner <= g_.tile_ ? inner : g_.tile_;
  FusedGroup::Reduced& reduced = g_.reduced_;
  if (reduced.row) {
    reduced.pieces = reduced.kept < 64 && reduced.gone >= kLongReduction;
    g_.unit_ = reduced.pieces ? kPiece : reduced.gone * std::max<int64_t>(1, g_.tile_ / reduced.gone);
  }
  int64_t full = 0;
  for (const Step& step : steps_) full += step.full;
  const int64_t grain = std::max(kLeastGrain, kGrain / std::max<int64_t>(1, full / 2));
  g_.grain_ = std::max<int64_t>(1, grain / g_.unit_);

  // Slots live from the first to the last operation that names them; those of one width share memory.
  const int64_t padded = round_up(std::max(std::min(g_.tile_, round_up(total_, block)), block), block);
  g_.padded_ = padded;
  const auto touch = [&](int reg, int at) {
    if (reg < 0) return;
    TileRegister& r = g_.registers_[static_cast<size_t>(reg)];
    if (r.first < 0) r.first = at;
    r.last = std::max(r.last, at);
  };
  for (size_t i = 0; i < g_.code_.size(); i++) {
    const TileOp& op = g_.code_[i];
    const int at = static_cast<int>(i);
    touch(op.to, at);
    if (op.once) touch(op.to, static_cast<int>(g_.code_.size()));
    for (int k = 0; k < op.count; k++) touch(op.from[k], at);
    for (const TileStage& stage : op.stages)
      for (int reg : stage.registers) touch(reg, at);
  }
  struct Place {
    int64_t offset, width;
    int free_after;
  };
  std::vector<Place> places;
  std::vector<int> order;
  for (size_t i = 0; i < g_.registers_.size(); i++)
    if (g_.registers_[i].kind == TileRegister::Kind::Slot && g_.registers_[i].first >= 0) order.push_back(static_cast<int>(i));
  std::stable_sort(order.begin(), order.end(),
                   [&](int a, int b) { return g_.registers_[static_cast<size_t>(a)].first < g_.registers_[static_cast<size_t>(b)].first; });
  for (int i : order) {
    TileRegister& r = g_.registers_[static_cast<size_t>(i)];
    // What is filled once must not lose its place between tiles.
    const bool pinned = r.last >= static_cast<int>(g_.code_.size());
    Place* found = nullptr;
    for (Place& place : places)
      if (!pinned && place.width == r.width && place.free_after < r.first) found = &place;
    if (!found) {
      places.push_back({g_.buffer_, r.width, 0});
      g_.buffer_ += round_up(padded * r.width, 64);
      found = &places.back();
    }
    found->free_after = r.last;
    r.offset = found->offset;
  }
  int64_t numbers = 0;
  for (TileRegister& r : g_.registers_) {
    if (!r.is_value()) continue;
    const int64_t bytes = r.full ? round_up(padded * r.width, 64) : 64;
    if (r.kind == TileRegister::Kind::Number) {
      r.offset = numbers;
      numbers += bytes;
    } else {
      r.offset = g_.buffer_;
      g_.buffer_ += bytes;
    }
  }
  g_.numbers_.resize(static_cast<size_t>(numbers + 64));
  char* base = reinterpret_cast<char*>(round_up(reinterpret_cast<intptr_t>(g_.numbers_.data()), 64));
  for (TileRegister& r : g_.registers_) {
    if (r.kind != TileRegister::Kind::Number) continue;
    std::memcpy(base + r.offset, r.value, static_cast<size_t>(r.width));
    repeat_value(base + r.offset, r.width, r.full ? padded : 64 / r.width);
  }

  // Results that are larger than the caches and that no tile reads again go past them.
  std::vector<int> reads(g_.registers_.size(), 0);
  for (const TileOp& op : g_.code_) {
    for (int k = 0; k < op.count; k++) reads[static_cast<size_t>(op.from[k])]++;
    for (const TileStage& stage : op.stages)
      for (int reg : stage.registers)
        if (reg >= 0 && stage.kind != TileStage::Kind::Store) reads[static_cast<size_t>(reg)]++;
  }
  for (TileOp& op : g_.code_) {
    for (TileStage& stage : op.stages) {
      if (stage.kind != TileStage::Kind::Store) continue;
      const TileRegister& r = g_.registers_[static_cast<size_t>(stage.registers[0])];
      if (r.kind == TileRegister::Kind::External && reads[static_cast<size_t>(stage.registers[0])] == 0 &&
          r.width * total_ >= last_level_cache())
        stage.stream = op.pipeline->other(StageKind::Stream);
    }
  }
  for (FusedSmall& small : g_.smalls_) {
    const FusedValue& value = g_.values_[static_cast<size_t>(steps_[static_cast<size_t>(small.step)].value)];
    if (value.output >= 0) continue;
    small.workspace = g_.workspace_;
    g_.workspace_ += round_up(value.view.numel() * dtype_size(value.view.dtype), 64);
  }
  if (reduced.row) {
    reduced.accumulators = g_.workspace_;
    g_.workspace_ += round_up(reduced.kept * 8, 64);
    reduced.partials = g_.workspace_;
    if (reduced.pieces) g_.workspace_ += round_up(reduced.kept * ((reduced.gone + kPiece - 1) / kPiece) * 8, 64);
  }
}

const char* FusedBuilder::build() {
  FusedSteps read;
  if (const char* reason = read.read(call_, text_)) return reason;
  g_.values_ = std::move(read.values);
  g_.outputs_ = std::move(read.outputs);
  step_of_value_ = std::move(read.step_of_value);
  shape_ = read.shape;
  total_ = read.total;
  for (const FusedStep& step : read.steps) {
    steps_.push_back({step});
    if (step.id == PointwiseId::count) continue;
    steps_.back().fn = pointwise_table().entries[static_cast<int>(step.id)][static_cast<int>(step.compute)].fn;
  }
  static_cast<FusedReduced&>(g_.reduced_) = read.reduced;
  for (size_t i = 0; i < steps_.size(); i++) {
    Step& step = steps_[i];
    if (step.copied || step.full || step.reduction) continue;
    FusedSmall small;
    small.step = static_cast<int>(i);
    small.value = step.value;
    small.cast = step.cast;
    small.id = step.id;
    small.count = step.count;
    for (int k = 0; k < step.count; k++) {
      small.values[k] = step.operands[k].value;
      small.args[k] = step.operands[k].number;
    }
    g_.values_[static_cast<size_t>(step.value)].small = static_cast<int>(g_.smalls_.size());
    g_.smalls_.push_back(small);
  }
  if (const char* reason = make_iteration()) return reason;
  form_segments();
  emit();
  finish();
  if (g_.buffer_ > (int64_t{1} << 19)) return "too many values at a time";
  return nullptr;
}

std::unique_ptr<FusedGroup> FusedGroup::build(const Call& call, std::string* reason) {
  const auto refuse = [&](const char* text) {
    if (reason) *reason = text;
    return std::unique_ptr<FusedGroup>();
  };
  if (call.nargs < 1 || call.args[0].kind != ArgKind::String) return refuse("no program");
  const auto text = FusedText::parse(call.args[0].str.p, call.args[0].str.n);
  if (!text) return refuse("no program");
  auto group = std::make_unique<FusedGroup>();
  try {
    if (const char* why = FusedBuilder(call, *text, *group).build()) return refuse(why);
  } catch (const std::exception& error) {
    // What the operators say themselves when they run one by one.
    return refuse(error.what());
  }
  return group;
}

void FusedGroup::describe(Call& call) const {
  for (size_t i = 0; i < outputs_.size(); i++) {
    TensorView& out = call.outputs[i];
    void* data = out.data;
    out = outputs_[i];
    out.data = data;
  }
  call.workspace_bytes = static_cast<size_t>(workspace_);
}

}  // namespace torchscript
