// Runs fused groups: the program's text, the tiles, and the kernel row.
#include <alloca.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <mutex>
#include <unordered_map>

#include "cpu-avx/copy.h"
#include "cpu-avx/fused.h"

namespace torchscript {
namespace {

char* align_up(void* p) { return reinterpret_cast<char*>((reinterpret_cast<uintptr_t>(p) + 63) & ~uintptr_t{63}); }

// ---- text

std::shared_ptr<const FusedText> parse_text(const char* p, const char* end) {
  auto program = std::make_shared<FusedText>();
  const auto number = [&](int* n) {
    const char* start = p;
    int value = 0;
    while (p < end && *p >= '0' && *p <= '9' && value < 100000) value = value * 10 + (*p++ - '0');
    *n = value;
    return p != start;
  };
  bool reduced = false;
  for (;;) {
    FusedText::Step step;
    const char* name = p;
    while (p < end && ((*p >= 'a' && *p <= 'z') || (*p >= '0' && *p <= '9') || *p == '_')) p++;
    const int64_t size = p - name;
    if (size == 4 && std::memcmp(name, "cast", 4) == 0) step.kind = FusedText::Kind::Cast;
    else if ((step.row = find_pointwise_row(name, size))) step.kind = FusedText::Kind::Pointwise;
    else if ((step.reduction = find_fused_reduction(name, size))) step.kind = FusedText::Kind::Reduction;
    else return nullptr;
    while (p < end && *p == ' ') {
      if (++p == end || (*p != 'i' && *p != 'v') || step.nargs == kMaxFusedArgs) return nullptr;
      const bool result = *p++ == 'v';
      int index;
      if (!number(&index) || index >= (result ? static_cast<int>(program->steps.size()) : kMaxFusedInputs)) return nullptr;
      if (!result) program->inputs = std::max(program->inputs, index + 1);
      step.args[step.nargs++] = {result, index};
    }
    if (reduced || step.nargs == 0 || (step.kind == FusedText::Kind::Cast && (step.nargs != 2 || step.args[1].result))) return nullptr;
    if (step.kind == FusedText::Kind::Reduction && !step.args[0].result) return nullptr;
    reduced = step.kind == FusedText::Kind::Reduction;
    program->steps.push_back(step);
    if (p == end || program->steps.size() > kMaxFusedSteps) return nullptr;
    if (*p++ == ';') continue;
    if (p[-1] != '>') return nullptr;
    break;
  }
  for (;;) {
    int index;
    if (p == end || *p++ != 'v' || !number(&index) || index >= static_cast<int>(program->steps.size())) return nullptr;
    if (program->outputs.size() == kMaxOutputs) return nullptr;
    program->outputs.push_back(index);
    if (p == end) return program;
    if (*p++ != ' ') return nullptr;
  }
}

}  // namespace

std::shared_ptr<const FusedText> FusedText::parse(const char* text, int64_t size) {
  // Operators whose shapes change all the time are built again and again, from few texts.
  constexpr size_t kMaxKept = 1024;
  static std::mutex mutex;
  static auto* known = new std::unordered_map<std::string, std::shared_ptr<const FusedText>>;
  std::string key(text, static_cast<size_t>(size));
  {
    std::lock_guard<std::mutex> lock(mutex);
    const auto found = known->find(key);
    if (found != known->end()) return found->second;
  }
  std::shared_ptr<const FusedText> program = parse_text(text, text + size);
  std::lock_guard<std::mutex> lock(mutex);
  if (known->size() >= kMaxKept) known->clear();
  known->emplace(std::move(key), program);
  return program;
}

// One run of a group: where its memory is.
class FusedRun {
 public:
  FusedRun(const FusedGroup& group, Call& call) : g_(group), call_(call) {
    for (size_t e = 0; e < g_.externals_.size(); e++) memory_[e] = memory_of(g_.externals_[e]);
  }
  void run();

 private:
  static constexpr size_t kMaxMemory = kMaxFusedInputs + kMaxFusedSteps + kMaxOutputs;

  char* memory_of(const FusedExternal& e) const {
    switch (e.source) {
      case FusedExternal::Source::Argument: return static_cast<char*>(call_.args[e.index].tensor->data);
      case FusedExternal::Source::Output: return static_cast<char*>(call_.outputs[e.index].data);
      default: return static_cast<char*>(call_.workspace) + g_.smalls_[static_cast<size_t>(e.index)].workspace;
    }
  }
  TensorView view_of(int value) const {
    const FusedValue& v = g_.values_[static_cast<size_t>(value)];
    TensorView view = v.view;
    if (v.output >= 0) view.data = call_.outputs[v.output].data;
    else if (v.argument >= 0) view.data = call_.args[v.argument].tensor->data;
    else view.data = static_cast<char*>(call_.workspace) + g_.smalls_[static_cast<size_t>(v.small)].workspace;
    return view;
  }
  void run_small(const FusedSmall& small) const;
  void tiles(int64_t begin, int64_t end) const;
  void repeat(const TileRegister& r, char* to, const char* from) const;
  void run_pipeline(const TileOp& op, Stage* stages, char* const* at, int64_t n) const;
  void fold(const void* from, int64_t width, int64_t at, int64_t n) const;
  void start_reduction() const;
  void finish_reduction() const;
  char* accumulators() const { return static_cast<char*>(call_.workspace) + g_.reduced_.accumulators; }
  char* partials() const { return static_cast<char*>(call_.workspace) + g_.reduced_.partials; }
  int64_t pieces() const { return (g_.reduced_.gone + g_.unit_ - 1) / g_.unit_; }
  static void fill(char* to, int64_t count, Element element, double identity);

  const FusedGroup& g_;
  Call& call_;
  char* memory_[kMaxMemory];
};

void FusedRun::run_small(const FusedSmall& small) const {
  TensorView views[kMaxOperands];
  Arg args[kMaxOperands];
  const Arg* operands[kMaxOperands];
  for (int k = 0; k < small.count; k++) {
    args[k] = small.args[k];
    operands[k] = &args[k];
    if (small.values[k] < 0) continue;
    views[k] = view_of(small.values[k]);
    args[k].kind = ArgKind::Tensor;
    args[k].tensor = &views[k];
  }
  const TensorView out = view_of(small.value);
  if (small.cast) copy_strided(out, views[0], call_.runtime);
  else run_pointwise_to(call_.runtime, out, small.id, operands);
}

void FusedRun::repeat(const TileRegister& r, char* to, const char* from) const {
  if (r.load) r.load(1, to, from);
  else std::memcpy(to, from, static_cast<size_t>(r.width));
  repeat_value(to, r.width, r.full ? g_.padded_ : 64 / r.width);
}

void FusedRun::fill(char* to, int64_t count, Element element, double identity) {
  for (int64_t i = 0; i < count; i++) {
    if (element == Element::I64)
      reinterpret_cast<int64_t*>(to)[i] = std::isinf(identity) ? (identity > 0 ? INT64_MAX : INT64_MIN) : static_cast<int64_t>(identity);
    else reinterpret_cast<double*>(to)[i] = identity;
  }
}

void FusedRun::start_reduction() const {
  const FusedGroup::Reduced& r = g_.reduced_;
  fill(accumulators(), r.kept, r.element, r.row->identity);
  if (r.pieces) fill(partials(), r.kept * pieces(), r.element, r.row->identity);
}

// Elements [at, at + n) of the reduced value.
void FusedRun::fold(const void* from, int64_t width, int64_t at, int64_t n) const {
  const FusedGroup::Reduced& r = g_.reduced_;
  const FoldRowFn row = reduce_table().folds[static_cast<int>(r.row->fold)][static_cast<int>(r.element)].row;
  const char* p = static_cast<const char*>(from);
  while (n > 0) {
    const int64_t kept = at / r.gone, gone = at % r.gone;
    int64_t piece = std::min(n, r.gone - gone);
    char* to = accumulators() + kept * 8;
    if (r.pieces) {
      piece = std::min(piece, g_.unit_ - gone % g_.unit_);
      to = partials() + (kept * pieces() + gone / g_.unit_) * 8;
    }
    row(to, p, piece, nullptr);
    p += piece * width;
    at += piece;
    n -= piece;
  }
}

void FusedRun::finish_reduction() const {
  const FusedGroup::Reduced& r = g_.reduced_;
  char* acc = accumulators();
  if (r.pieces) {
    const Fold join = r.row->fold == Fold::Max || r.row->fold == Fold::Min ? r.row->fold : Fold::Sum;
    const Element wide = r.element == Element::F32 ? Element::F64 : r.element;
    const FoldRowFn row = reduce_table().folds[static_cast<int>(join)][static_cast<int>(wide)].row;
    for (int64_t i = 0; i < r.kept; i++) row(acc + i * 8, partials() + i * pieces() * 8, pieces(), nullptr);
  }
  Element element = r.element;
  double* reals = reinterpret_cast<double*>(acc);
  int64_t* wholes = reinterpret_cast<int64_t*>(acc);
  switch (r.row->finish) {
    case FusedReduction::Finish::None: break;
    case FusedReduction::Finish::Mean:
      for (int64_t i = 0; i < r.kept; i++) reals[i] /= static_cast<double>(r.gone);
      break;
    default:
      for (int64_t i = 0; i < r.kept; i++) {
        const int64_t n = element == Element::I64 ? wholes[i] : static_cast<int64_t>(reals[i]);
        wholes[i] = r.row->finish == FusedReduction::Finish::All ? n == r.gone : n != 0;
      }
      element = Element::I64;
  }
  store_accumulators(call_.runtime, call_.outputs[r.output], element, acc);
}

void FusedRun::run_pipeline(const TileOp& op, Stage* stages, char* const* at, int64_t n) const {
  const size_t count = op.stages.size();
  for (size_t s = 0; s < count; s++) {
    const TileStage& stage = op.stages[s];
    for (int k = 0; k < 3 && stage.registers[k] >= 0; k++) stages[s].p[k] = at[stage.registers[k]];
    if (stage.kind == TileStage::Kind::Store)
      stages[s].fn = stage.stream && (reinterpret_cast<uintptr_t>(stages[s].p[0]) & 63) == 0 ? stage.stream : stage.fn;
  }
  const int64_t block = op.pipeline->block, whole = n / block * block, rest = n - whole;
  if (whole > 0) op.pipeline->run(stages, 0, whole);
  if (rest == 0) return;
  // The last block is a part of one: what lies outside of the buffer passes through a block of its own.
  const int64_t room = block * 8;
  size_t outside = 0;
  for (const TileStage& stage : op.stages)
    for (int k = 0; k < 3 && stage.registers[k] >= 0; k++)
      outside += g_.registers_[static_cast<size_t>(stage.registers[k])].kind == TileRegister::Kind::External;
  struct Part {
    char *memory, *block;
    int64_t bytes;
    bool writes;
  };
  Part* const parts = static_cast<Part*>(alloca((outside + 1) * sizeof(Part)));
  char* const blocks = align_up(alloca(static_cast<size_t>(room) * outside + 64));
  size_t used = 0;
  const auto block_of = [&](int reg, bool writes) {
    const TileRegister& r = g_.registers_[static_cast<size_t>(reg)];
    char* const p = at[reg] + whole * r.width;
    for (size_t i = 0; i < used; i++) {
      if (parts[i].memory != p) continue;
      parts[i].writes = parts[i].writes || writes;
      return parts[i].block;
    }
    parts[used] = {p, blocks + static_cast<int64_t>(used) * room, rest * r.width, writes};
    if (!writes) std::memcpy(parts[used].block, p, static_cast<size_t>(rest * r.width));
    return parts[used++].block;
  };
  Stage* last = static_cast<Stage*>(alloca(count * sizeof(Stage)));
  std::memcpy(last, stages, count * sizeof(Stage));
  for (size_t s = 0; s < count; s++) {
    const TileStage& stage = op.stages[s];
    if (stage.kind == TileStage::Kind::Store) last[s].fn = stage.fn;
    for (int k = 0; k < 3 && stage.registers[k] >= 0; k++) {
      const TileRegister& r = g_.registers_[static_cast<size_t>(stage.registers[k])];
      if (r.is_value()) continue;
      if (r.kind == TileRegister::Kind::Slot) {
        last[s].p[k] = at[stage.registers[k]] + whole * r.width;
        continue;
      }
      last[s].p[k] = block_of(stage.registers[k], stage.kind == TileStage::Kind::Store);
    }
  }
  op.pipeline->run(last, 0, block);
  for (size_t i = 0; i < used; i++)
    if (parts[i].writes) std::memcpy(parts[i].memory, parts[i].block, static_cast<size_t>(parts[i].bytes));
}

// Works on the elements [begin, end) of the iteration.
void FusedRun::tiles(int64_t begin, int64_t end) const {
  const Iteration& it = g_.it_;
  const size_t nregisters = g_.registers_.size(), nexternals = g_.externals_.size();
  char* const buffer = align_up(alloca(static_cast<size_t>(g_.buffer_ + 64)));
  char** at = static_cast<char**>(alloca((nregisters + 1) * sizeof(char*)));
  char** external = static_cast<char**>(alloca((nexternals + 1) * sizeof(char*)));
  char* const numbers = align_up(const_cast<char*>(g_.numbers_.data()));
  size_t nstages = 0;
  for (const TileOp& op : g_.code_) nstages += op.stages.size();
  Stage* const stages = static_cast<Stage*>(alloca((nstages + 1) * sizeof(Stage)));
  {
    Stage* next = stages;
    for (const TileOp& op : g_.code_) {
      for (const TileStage& from : op.stages) {
        next->fn = from.fn;
        for (int k = 0; k < 3; k++) {
          next->p[k] = nullptr;
          next->step[k] = 0;
          if (from.registers[k] < 0) continue;
          const TileRegister& r = g_.registers_[static_cast<size_t>(from.registers[k])];
          next->step[k] = r.is_value() ? 0 : r.width;
        }
        next++;
      }
    }
  }
  for (size_t i = 0; i < nregisters; i++) {
    const TileRegister& r = g_.registers_[i];
    if (r.kind == TileRegister::Kind::External) continue;
    at[i] = (r.kind == TileRegister::Kind::Number ? numbers : buffer) + r.offset;
    if (r.kind == TileRegister::Kind::Single) repeat(r, at[i], memory_[r.external]);
  }
  const int64_t inner = it.sizes[0];
  bool first = true, streams = false;
  int64_t row = -1;
  for (int64_t position = begin; position < end; first = false) {
    int64_t n = std::min(end - position, g_.tile_);
    bool new_row = first;
    if (g_.by_rows_) {
      const int64_t within = position % inner;
      n = std::min(n, inner - within);
      new_row = first || position / inner != row;
      row = position / inner;
    }
    for (size_t e = 0; e < nexternals; e++) {
      const FusedExternal& x = g_.externals_[e];
      if (x.operand < 0) continue;
      if (x.access == FusedExternal::Access::Direct)
        external[e] = memory_[e] + (g_.by_rows_ ? it.offset(x.operand, position) : position) * x.size;
      else if (x.access == FusedExternal::Access::Splat) external[e] = memory_[e] + it.offset(x.operand, position) * x.size;
    }
    for (size_t i = 0; i < nregisters; i++) {
      const TileRegister& r = g_.registers_[i];
      if (r.kind == TileRegister::Kind::External) at[i] = external[r.external];
      else if (r.kind == TileRegister::Kind::Splat && new_row) repeat(r, at[i], external[r.external]);
    }
    Stage* next = stages;
    for (const TileOp& op : g_.code_) {
      switch (op.kind) {
        case TileOp::Kind::Gather: {
          if (op.once && !first) break;
          const FusedExternal& x = g_.externals_[static_cast<size_t>(op.external)];
          const int64_t count = op.once ? std::max(n, std::min(g_.tile_, it.total)) : n;
          gather_range(it, x.operand, position, count, at[op.to], memory_[op.external], x.size);
          break;
        }
        case TileOp::Kind::Convert:
          if (op.convert) op.convert(n, at[op.to], at[op.from[0]]);
          else std::memcpy(at[op.to], at[op.from[0]], static_cast<size_t>(n * g_.registers_[static_cast<size_t>(op.to)].width));
          break;
        case TileOp::Kind::Apply: {
          const void* in[kMaxOperands];
          int64_t step[kMaxOperands];
          for (int k = 0; k < op.count; k++) {
            const TileRegister& r = g_.registers_[static_cast<size_t>(op.from[k])];
            in[k] = at[op.from[k]];
            step[k] = r.is_value() && !r.full ? 0 : 1;
          }
          op.apply(n, at[op.to], in, step);
          break;
        }
        case TileOp::Kind::Pipeline:
          run_pipeline(op, next, at, n);
          for (const TileStage& stage : op.stages) streams = streams || stage.stream;
          next += op.stages.size();
          break;
        case TileOp::Kind::Scatter: {
          const FusedExternal& x = g_.externals_[static_cast<size_t>(op.external)];
          scatter_range(it, x.operand, position, n, memory_[op.external], at[op.from[0]], x.size);
          break;
        }
        case TileOp::Kind::Fold: fold(at[op.from[0]], g_.registers_[static_cast<size_t>(op.from[0])].width, position, n); break;
      }
    }
    position += n;
  }
  if (streams) fused_table().fence();
}

void FusedRun::run() {
  for (const FusedSmall& small : g_.smalls_) run_small(small);
  call_.runtime->note(fused_table().label);
  const FusedGroup::Reduced& reduced = g_.reduced_;
  if (reduced.row) start_reduction();
  const int64_t total = g_.it_.total;
  if (reduced.pieces) {
    // Pieces begin anew in each row.
    const int64_t count = pieces();
    call_.runtime->parallel(reduced.kept * count, 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; i++) {
        const int64_t from = i / count * reduced.gone, at = i % count * g_.unit_;
        tiles(from + at, from + std::min(at + g_.unit_, reduced.gone));
      }
    });
  } else {
    const int64_t units = (total + g_.unit_ - 1) / g_.unit_;
    if (units <= g_.grain_) tiles(0, total);
    else
      call_.runtime->parallel(units, g_.grain_,
                              [&](int64_t begin, int64_t end) { tiles(begin * g_.unit_, std::min(end * g_.unit_, total)); });
  }
  if (reduced.row) finish_reduction();
}

void FusedGroup::run(Call& call) const { FusedRun(*this, call).run(); }

namespace {

std::unique_ptr<FusedGroup> build_or_fail(const Call& call) {
  std::string reason;
  auto group = FusedGroup::build(call, &reason);
  if (!group) fail("a fused group does not take %s", reason.c_str());
  return group;
}

// fused_pointwise(program, inputs...): the results that the program names. A recorded schedule keeps the tile code.
TS_KERNEL(fused_pointwise, {.infer = [](Call& call) { build_or_fail(call)->describe(call); },
                            .run =
                              [](Call& call) {
                                if (call.prepared) return static_cast<const FusedGroup*>(call.prepared)->run(call);
                                build_or_fail(call)->run(call);
                              },
                            .in_place = true,
                            .accepts = [](const Call& call) { return FusedGroup::build(call, nullptr) != nullptr; },
                            .prepare = [](const Call& call) -> void* { return build_or_fail(call).release(); },
                            .release = [](void* prepared) { delete static_cast<FusedGroup*>(prepared); }});

}  // namespace
}  // namespace torchscript
